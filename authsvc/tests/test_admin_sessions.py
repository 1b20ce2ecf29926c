"""A login of the admin site is a session row, which decides at each request."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.admin_client import logged_in
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

# A page for everybody who is logged in, with no statement of its own.
PAGE = "/admin/jsi18n/"


@pytest.fixture
def browser(head: User) -> Client:
    client = Client(REMOTE_ADDR=HERE)
    client.post("/admin/login/", {"username": "head", "password": PASSWORD})
    return client


def row() -> Session:
    return Session.objects.get(contract="admin", ended_at=None)


def is_logged_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def test_a_login_opens_a_row_that_ends_after_half_an_hour_and_after_twelve_hours(browser: Client, head: User) -> None:
    found = row()
    lives = (found.expires_at - found.created_at, found.latest_end_at - found.created_at)
    assert (found.user, found.ip, found.methods, *lives) == (
        head,
        HERE,
        "pwd",
        timedelta(minutes=30),
        timedelta(hours=12),
    )


def test_twelve_hours_end_a_login_in_use(browser: Client) -> None:
    now = timezone.now()
    for minutes in range(25, 12 * 60, 25):
        with time_machine.travel(now + timedelta(minutes=minutes)):
            assert is_logged_in(browser)
    with time_machine.travel(now + timedelta(hours=12, minutes=1)):
        assert not is_logged_in(browser)


def test_where_the_row_has_ended_the_browser_is_logged_out(browser: Client) -> None:
    Session.objects.update(ended_at=timezone.now())
    assert not is_logged_in(browser)
    assert not DjangoSession.objects.exists()


def test_a_login_of_a_release_without_rows_is_over(head: User) -> None:
    client = Client()
    client.force_login(head)
    assert not is_logged_in(client)
    assert not DjangoSession.objects.exists()


def test_a_request_reads_both_sessions_by_a_statement_each_and_writes_once_a_minute(
    head: User, statements: Any
) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        client = logged_in(head, REMOTE_ADDR=HERE)
    verbs = []
    for seconds in (59, 60, 61):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False), statements() as captured:
            assert is_logged_in(client)
        verbs.append([sql.split()[0] for sql in captured.sql])
    reads = ["SELECT", "SELECT"]
    # The row, its address and the event of that in the trail, and Django's session.
    assert (verbs[0], verbs[1][:3], verbs[1][-1], verbs[2]) == (reads, [*reads, "UPDATE"], "UPDATE", reads)


def test_a_login_used_from_another_address_is_recorded(browser: Client, head: User) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        browser.get(PAGE, REMOTE_ADDR=ELSEWHERE)
    assert SecurityEvent.objects.filter(event="session:moved", user=head).count() == 1
    assert row().ip == ELSEWHERE


def test_a_logout_ends_the_row(browser: Client) -> None:
    browser.post("/admin/logout/")
    assert Session.objects.get().end_reason == "logout"


def test_a_new_login_ends_the_row_of_the_former_one(browser: Client) -> None:
    former = row()
    browser.post("/admin/login/", {"username": "head", "password": PASSWORD})
    former.refresh_from_db()
    assert (former.end_reason, row().pk == former.pk) == ("logout", False)


def test_its_user_lists_and_ends_it_by_the_api(browser: Client) -> None:
    token = Api().tokens("head")["access_token"]
    listed = {each["contract"]: each["id"] for each in Api().get("sessions", token).json()["results"]}
    assert listed == {"native": listed["native"], "admin": str(row().pk)}
    Api().call("DELETE", f"/api/auth/sessions/{listed['admin']}", None, token)
    assert not is_logged_in(browser)


def test_a_logout_everywhere_ends_it(browser: Client) -> None:
    Api().post("logout-all", None, Api().tokens("head")["access_token"])
    assert not is_logged_in(browser)


def test_a_password_change_ends_every_login(browser: Client, head: User) -> None:
    other = logged_in(head)
    body = {"old_password": PASSWORD, "new_password1": "Another-horse-8", "new_password2": "Another-horse-8"}
    browser.post("/admin/password_change/", body)
    assert (is_logged_in(browser), is_logged_in(other)) == (False, False)
    assert set(Session.objects.values_list("end_reason", flat=True)) == {"credential_changed"}
