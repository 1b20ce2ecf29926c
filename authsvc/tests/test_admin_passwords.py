"""The pages of the admin site on which users change their own passwords."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import AttemptBudget, User
from accounts.security import hashing
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api
from audit.models import SecurityEvent
from authsvc.tests.admin_login import password_fields

pytestmark = pytest.mark.django_db


class TestOwnPassword:
    def change(self, site: Client, old: str = PASSWORD, new: str = "Another-horse-8") -> Any:
        return site.post("/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new})

    def test_a_change_is_recorded_and_ends_the_sessions(self, staff_client: Client, head: User) -> None:
        token = Api(ELSEWHERE).tokens("head")["access_token"]
        assert self.change(staff_client).status_code == 302
        assert Api().get("me", token).status_code == 401
        assert SecurityEvent.objects.filter(event="password:changed", user=head).count() == 1

    def test_the_login_that_made_the_change_ends_too(self, staff_client: Client) -> None:
        assert self.change(staff_client)["Location"] == "/admin/login/"
        page = staff_client.get("/admin/login/").content.decode()
        assert "The password was changed. Log in with the new one." in page

    def test_a_wrong_old_password_counts_as_a_failure(self, staff_client: Client, head: User) -> None:
        response = self.change(staff_client, old="wrong")
        assert response.context["form"].errors == {"old_password": ["The current password is wrong."]}
        assert AttemptBudget.objects.get(account_id=head.pk, address=HERE).count == 1

    def test_the_current_password_is_no_new_one(self, staff_client: Client) -> None:
        errors = self.change(staff_client, new=PASSWORD).context["form"].errors
        assert errors == {"new_password1": ["The new password must differ from the current one."]}

    def test_a_former_password_does_not_return(self, site: Client, head: User, settings: Settings) -> None:
        settings.PASSWORD_HISTORY = 1
        for old, new in ((PASSWORD, "Another-horse-8"), ("Another-horse-8", PASSWORD)):
            site.post("/admin/login/", {"username": "head", "password": old})
            response = self.change(site, old=old, new=new)
        errors = response.context["form"].errors
        assert errors == {"new_password1": ["The new password must differ from the former ones."]}

    def test_a_change_based_on_an_outdated_password_is_refused(
        self, staff_client: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = hashing.make

        def change_concurrently(password: str) -> str:
            User.objects.filter(pk=head.pk).update(password=real("Third-horse-9"))
            return real(password)

        monkeypatch.setattr(hashing, "make", change_concurrently)
        assert list(self.change(staff_client).context["form"].errors) == ["old_password"]
        assert User.objects.get(pk=head.pk).check_password("Third-horse-9")

    def test_a_change_under_load_is_refused(
        self, staff_client: Client, head: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(password: str) -> str:
            raise Overloaded(timedelta(seconds=2))

        monkeypatch.setattr(hashing, "make", busy)
        assert self.change(staff_client).context["form"].non_field_errors() == [
            "The service is busy. Try again in a moment."
        ]

    def test_a_lock_is_reported_with_its_minutes(self, staff_client: Client) -> None:
        for _ in range(5):
            self.change(staff_client, old="wrong")
        errors = self.change(staff_client).context["form"].errors
        assert errors == {"old_password": ["Too many attempts. Try again in 15 min."]}

    def test_all_three_passwords_are_masked_as_they_are_typed(self, staff_client: Client) -> None:
        assert password_fields(staff_client.get("/admin/password_change/")) == [
            ("old_password", "current-password"),
            ("new_password1", "new-password"),
            ("new_password2", "new-password"),
        ]

    def test_a_new_password_follows_the_rule(self, staff_client: Client, head: User) -> None:
        response = self.change(staff_client, new="short")
        assert response.context["form"].errors["new_password1"] == [
            "A password must have at least 6 characters.",
        ]


class TestExpiredPassword:
    PATH = "/admin/login/password/"

    @pytest.fixture(autouse=True)
    def _expired(self, head: User, site: Client, settings: Settings) -> None:
        settings.PASSWORD_MAX_AGE = timedelta(days=90)
        User.objects.filter(pk=head.pk).update(password_changed_at=timezone.now() - timedelta(days=91))
        assert self.log_in(site) == self.PATH

    def log_in(self, site: Client, password: str = PASSWORD) -> str:
        return str(site.post("/admin/login/", {"username": "head", "password": password})["Location"])

    def choose(self, site: Client, new: str, again: str = "") -> Any:
        return site.post(self.PATH, {"new_password1": new, "new_password2": again or new})

    def test_the_login_leads_to_the_change_and_then_to_a_login(self, site: Client) -> None:
        assert [name for name, _ in password_fields(site.get(self.PATH))] == ["new_password1", "new_password2"]
        assert site.get("/admin/")["Location"].startswith("/admin/login/")
        assert self.choose(site, "Another-horse-8")["Location"] == "/admin/login/"
        assert "The password was changed. Log in with the new one." in site.get("/admin/login/").content.decode()
        assert self.log_in(site, "Another-horse-8") == "/admin/"

    @pytest.mark.parametrize(
        ("new", "again", "errors"),
        [
            ("short", "", {"new_password1": ["A password must have at least 6 characters."]}),
            (PASSWORD, "", {"new_password1": ["The new password must differ from the current one."]}),
            ("Another-horse-8", "Another-horse-9", {"new_password2": ["The two password fields didn’t match."]}),
        ],
    )
    def test_what_is_wrong_with_the_new_password_is_said(
        self, site: Client, new: str, again: str, errors: dict[str, list[str]]
    ) -> None:
        assert self.choose(site, new, again).context["form"].errors == errors

    def test_the_page_is_for_those_who_have_logged_in_with_an_expired_password(self, site: Client) -> None:
        site.cookies.clear()
        assert [site.get(self.PATH)["Location"], self.choose(site, "Another-horse-8")["Location"]] == [
            "/admin/login/"
        ] * 2
