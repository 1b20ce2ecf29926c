"""Who may read the description of the API: DOCS is `public`, `staff` or `off`."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.tools import PASSWORD

pytestmark = pytest.mark.any_database

PAGE, SCHEMA = "/api/docs", "/api/schema"


def problem(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def logged_in(user: User) -> Client:
    client = Client()
    client.post("/admin/login/", {"username": user.username, "password": PASSWORD})
    return client


@pytest.mark.parametrize("path", [PAGE, SCHEMA])
def test_public_is_for_everyone(client: Client, settings: Settings, path: str) -> None:
    settings.DOCS = "public"
    assert client.get(path).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", [PAGE, SCHEMA])
def test_off_is_not_found_for_staff_too(settings: Settings, head: User, path: str) -> None:
    settings.DOCS = "off"
    assert problem(logged_in(head).get(path)) == (404, "not_found")


@pytest.mark.django_db
class TestStaff:
    @pytest.fixture(autouse=True)
    def _for_staff(self, settings: Settings) -> None:
        settings.DOCS = "staff"

    def test_the_page_redirects_others_to_the_login(self, client: Client) -> None:
        response = client.get(PAGE)
        assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/api/docs")

    def test_the_description_is_forbidden_to_others(self, client: Client) -> None:
        assert problem(client.get(SCHEMA)) == (403, "permission_denied")

    @pytest.mark.parametrize("path", [PAGE, SCHEMA])
    def test_staff_of_the_admin_site_read_it(self, head: User, path: str) -> None:
        response = logged_in(head).get(path)
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")

    def test_the_login_leads_back_to_the_page(self, head: User) -> None:
        response = Client().post("/admin/login/?next=/api/docs", {"username": "head", "password": PASSWORD})
        assert response["Location"] == PAGE

    def test_a_user_of_another_role_is_no_staff(self, head: User) -> None:
        client = logged_in(head)
        User.objects.filter(pk=head.pk).update(role="doctor")
        assert problem(client.get(SCHEMA)) == (403, "permission_denied")

    @pytest.mark.parametrize("path", [PAGE, SCHEMA])
    def test_a_wrong_method_is_not_allowed(self, client: Client, path: str) -> None:
        assert client.post(path).status_code == 405
