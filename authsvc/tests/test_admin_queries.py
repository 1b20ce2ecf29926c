"""Lists of the admin site that are asked for nonsense, or for what is not there any more."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import users
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = pytest.mark.django_db

ATTEMPTS, PEOPLE = "/admin/audit/loginattempt/", "/admin/accounts/user/"


@pytest.fixture
def office(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


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
        f"{PEOPLE}?last_login_ip=abc",
        f"{PEOPLE}?department=%00",
        f"{PEOPLE}?id__in=999999999999999999999999",
        f"{PEOPLE}?username__regex=(",
    ],
)
def test_nonsense_in_a_query_is_no_crash(office: Client, address: str) -> None:
    assert office.get(address, follow=True).status_code in {200, 400}


@pytest.mark.parametrize("address", [f"{ATTEMPTS}export/", f"{PEOPLE}export/csv/"])
def test_nonsense_in_the_query_of_an_export_is_no_crash(office: Client, address: str) -> None:
    answer = office.post(f"{address}?ip__exact=abc&last_login_ip=abc")
    assert answer.status_code in {200, 302, 400}


def test_a_verb_of_nobody_leads_back_to_the_list(office: Client) -> None:
    answer = office.post(f"{PEOPLE}do/unlock/", {"ids": "2\n", "page": "yes", "confirmed": "yes"})
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, PEOPLE)


def test_groups_are_not_edited_where_nobody_would_know(office: Client) -> None:
    assert office.get("/admin/auth/group/").status_code == 404


def test_an_account_that_is_made_to_wait_again_is_in_the_trail(alice: User) -> None:
    alice.awaits_approval = True
    users.save_changes(user=alice, fields=["awaits_approval"], actor=None, origin=CONSOLE)
    assert SecurityEvent.objects.values_list("event", "detail").get() == (
        "user:changed",
        {"fields": ["awaits_approval"]},
    )
