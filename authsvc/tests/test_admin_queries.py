"""The admin site's lists with invalid queries, and what it does not offer."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import users
from accounts.tests.admin_client import logged_in
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = pytest.mark.django_db

ATTEMPTS, USERS = "/admin/audit/loginattempt/", "/admin/accounts/user/"


@pytest.fixture
def staff_client(root: User) -> Client:
    return logged_in(root)


@pytest.mark.parametrize(
    "address",
    [
        f"{ATTEMPTS}?ip__exact=abc",
        f"{ATTEMPTS}?status__exact=%00",
        f"{ATTEMPTS}?contract=%00",
        f"{ATTEMPTS}?when=0001-01-01",
        f"{ATTEMPTS}?at__gte=0001-01-01T00:00:00%2B14:00",
        f"{ATTEMPTS}?at__lt=9999-12-31T23:59:59-14:00",
        "/admin/accounts/session/?ip=abc",
        "/admin/accounts/message/?address__startswith=%00",
        f"{USERS}?last_login_ip=abc",
        f"{USERS}?department=%00",
        f"{USERS}?id__in=999999999999999999999999",
        f"{USERS}?username__regex=(",
    ],
)
def test_an_invalid_query_does_not_crash(staff_client: Client, address: str) -> None:
    assert staff_client.get(address, follow=True).status_code in {200, 400}


@pytest.mark.parametrize("address", [f"{ATTEMPTS}export/", f"{USERS}export/csv/"])
def test_an_invalid_query_of_an_export_does_not_crash(staff_client: Client, address: str) -> None:
    answer = staff_client.post(f"{address}?ip__exact=abc&last_login_ip=abc")
    assert answer.status_code in {200, 302, 400}


def test_an_action_without_objects_returns_to_the_list(staff_client: Client) -> None:
    answer = staff_client.post(f"{USERS}do/unlock/", {"ids": "2\n", "page": "yes", "confirmed": "yes"})
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, USERS)


def test_groups_have_no_page(staff_client: Client) -> None:
    assert staff_client.get("/admin/auth/group/").status_code == 404


def test_a_withdrawn_approval_is_recorded(alice: User) -> None:
    alice.awaits_approval = True
    users.save_changes(user=alice, fields=["awaits_approval"], actor=None, origin=CONSOLE)
    assert SecurityEvent.objects.values_list("event", "detail").get() == (
        "user:changed",
        {"fields": ["awaits_approval"], "old": {"awaits_approval": False}, "new": {"awaits_approval": True}},
    )
