"""The list of sessions."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.tools import ELSEWHERE, Api
from audit.validity import today

pytestmark = pytest.mark.django_db

SESSIONS = "/admin/accounts/session/"


def usernames(client: Client, query: str = "") -> list[str]:
    return sorted(each.user.username for each in client.get(f"{SESSIONS}?{query}").context["cl"].result_list)


@pytest.fixture(autouse=True)
def _logged_in(alice: User, bob: User) -> None:
    Api().tokens("alice")
    Api(ELSEWHERE).tokens("bob")


def test_it_shows_active_sessions(staff_client: Client) -> None:
    Session.objects.filter(user__username="bob").update(ended_at=timezone.now())
    assert usernames(staff_client) == ["alice", "head"]


@pytest.mark.parametrize(("query", "found"), [("state=ended", ["bob"]), ("state=all", ["alice", "bob", "head"])])
def test_it_shows_other_sessions_by_filter(staff_client: Client, bob: User, query: str, found: list[str]) -> None:
    User.objects.filter(pk=bob.pk).update(role="viewer")
    assert usernames(staff_client, query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("contract=native", ["alice", "bob"]),
        ("contract=portal", []),
        ("contract=admin", ["head"]),
        ("user__role__exact=doctor", ["bob"]),
        ("seen=10m", ["alice", "head"]),
        ("seen=24h", ["alice", "bob", "head"]),
        ("seen=earlier", []),
        ("q=ALICE", ["alice"]),
        (f"q={ELSEWHERE}", ["bob"]),
    ],
)
def test_it_is_filtered_and_searched(staff_client: Client, query: str, found: list[str]) -> None:
    Session.objects.filter(user__username="bob").update(last_seen_at=timezone.now() - timedelta(hours=3))
    assert usernames(staff_client, query) == found


def test_those_of_an_account_past_its_last_day_are_not_active(staff_client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(valid_until=today() - timedelta(days=1))
    assert usernames(staff_client) == ["bob", "head"]
    session = Session.objects.get(user=alice)
    assert not staff_client.get(f"{SESSIONS}{session.pk}/change/").context["confirmed_actions"]
    person = staff_client.get(f"/admin/accounts/user/{alice.pk}/change/")
    assert "end-sessions" not in person.context["confirmed_actions"]
    assert f'value="{session.pk}"' not in person.content.decode()


def test_it_shows_the_device(staff_client: Client) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    Session.objects.update(user_agent=agent)
    assert "Firefox 140 · Windows" in staff_client.get(SESSIONS).content.decode()


def test_it_marks_a_device_that_is_new(staff_client: Client) -> None:
    assert usernames(staff_client, "from_new_device__exact=1") == []
    Session.objects.filter(user__username="alice").update(from_new_device=True, user_agent="ward client")
    page = staff_client.get(SESSIONS, headers={"accept-language": "zh-hans"}).content.decode()
    assert page.count('<span class="mark">') == 1
    assert 'ward client <span class="mark">新设备</span>' in page
    assert usernames(staff_client, "from_new_device__exact=1") == ["alice"]


@pytest.mark.parametrize("new", [False, True])
def test_its_page_marks_an_address_that_is_new_as_the_list_does(staff_client: Client, new: bool) -> None:
    session = Session.objects.get(user__username="alice")
    Session.objects.filter(pk=session.pk).update(from_new_address=new, ip="192.0.2.7")
    page = staff_client.get(f"{SESSIONS}{session.pk}/change/").content.decode()
    assert ('192.0.2.7 <span class="mark">new address</span>' in page) == new
    assert "icon-no" not in page
