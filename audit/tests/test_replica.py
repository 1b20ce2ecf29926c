"""DATABASE_REPLICA_URL: what is read from the replica, and when the primary is read instead."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.tests.admin_client import logged_in
from accounts.tests.tools import Api, later
from audit import replica
from audit.events import Event
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import CONSOLE
from audit.record import record
from audit.replica import ALIAS, reading_alias

pytestmark = pytest.mark.django_db(transaction=True)

TRAIL = {"audit_loginattempt", "audit_securityevent"}
# What a list shows of a person: the names, and the mark of an auditor.
PEOPLE = {"accounts_user", "accounts_user_groups", "auth_group"}
READERS = {
    "accounts/contracts/native/administrator_views.py",
    "audit/admin/trail.py",
    "audit/reports.py",
    "authsvc/configuration/checks.py",
    "authsvc/configuration/tls_checks.py",
    "authsvc/doctor/replica.py",
    "authsvc/doctor/run.py",
}
TABLE = re.compile(r'(?:FROM|JOIN) ["`](\w+)')


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """A replica that has what is committed: another connection to the test's database."""
    monkeypatch.setattr(replica._State, "problem", "")
    monkeypatch.setattr(replica._State, "paused_until", 0.0)
    monkeypatch.setitem(connections.settings, ALIAS, deepcopy(connection.settings_dict))
    # Django's tests refuse to open a connection to a database that the settings lacked, not to use it.
    connections[ALIAS].connect()
    yield connections[ALIAS]
    connections[ALIAS].close()
    del connections[ALIAS]


def tables_read(other: BaseDatabaseWrapper, request: Callable[[], Any]) -> set[str]:
    """Return the tables that a request reads from the replica; it is consumed to its end, and must succeed."""
    with CaptureQueriesContext(other) as captured:
        response = request()
        list(getattr(response, "streaming_content", ()))
    assert response.status_code in {200, 201, 204}
    statements = [query["sql"] for query in captured.captured_queries]
    assert all(statement.startswith("SELECT") for statement in statements)
    return {table for statement in statements for table in TABLE.findall(statement)}


def test_lists_exports_and_reports_of_the_trail_alone_are_read_there(
    other: BaseDatabaseWrapper, root: User, alice: User
) -> None:
    api, admin = Api(), logged_in(root)
    event = SecurityEvent.of(CONSOLE, Event.USER_CREATED, user_id=alice.pk)
    with transaction.atomic():
        record(event)
    tokens, roots = api.tokens(), api.tokens("root")
    path = "/admin/audit/"
    with later(seconds=20):
        read = {
            "me": tables_read(other, lambda: api.get("me", tokens["access_token"])),
            "login": tables_read(other, api.login),
            "refresh": tables_read(other, lambda: api.post("refresh", {"refresh_token": tokens["refresh_token"]})),
            "users": tables_read(other, lambda: api.get("users", roots["access_token"])),
            "login-attempts": tables_read(other, lambda: api.get("login-attempts", roots["access_token"])),
            "page": tables_read(other, lambda: admin.get(f"/admin/accounts/user/{alice.pk}/change/")),
            "attempts": tables_read(other, lambda: admin.get(f"{path}loginattempt/")),
            "events": tables_read(other, lambda: admin.get(f"{path}securityevent/")),
            "event": tables_read(other, lambda: admin.get(f"{path}securityevent/{event.pk}/change/")),
            "export": tables_read(other, lambda: admin.post(f"{path}loginattempt/export/")),
            "report": tables_read(other, lambda: admin.get(f"{path}loginattempt/report/")),
            "logout": tables_read(other, lambda: api.post("logout-all", token=roots["access_token"])),
        }
    assert read == {
        **{name: set() for name in ("me", "login", "refresh", "users", "page", "event", "logout")},
        **dict.fromkeys(("login-attempts", "report"), TRAIL),
        **dict.fromkeys(("attempts", "events", "export"), TRAIL | PEOPLE),
    }


@pytest.mark.any_database
def test_nothing_else_chooses_the_replica() -> None:
    folders = (settings.BASE_DIR / name for name in ("authsvc", "accounts", "audit"))
    sources = (file for folder in folders for file in folder.rglob("*.py") if "tests" not in file.parts)
    found = {
        str(file.relative_to(settings.BASE_DIR))
        for file in sources
        if re.search(r"import.* replica|audit\.replica|\"replica\"", file.read_text(encoding="utf-8"))
    }
    assert found - {"audit/replica.py", "authsvc/settings.py"} == READERS


def attempt() -> None:
    record(LoginAttempt.of(CONSOLE, "alice", user_id=None))


def test_a_replica_that_lacks_rows_is_not_read(other: BaseDatabaseWrapper, caplog: pytest.LogCaptureFixture) -> None:
    # What is not committed yet is on the primary's connection alone.
    with transaction.atomic():
        attempt()
        at_once = reading_alias()
        with later(seconds=11):
            afterwards = [reading_alias(), reading_alias()]
    with later(seconds=11):
        at_last = reading_alias()
    assert (at_once, afterwards, at_last) == (ALIAS, ["default", "default"], ALIAS)
    assert [line.message for line in caplog.records if line.name == replica.__name__] == [
        "The replica lacks rows that are 10 seconds old: the trail's lists are read from the primary.",
        "The replica is read.",
    ]


def test_a_replica_that_is_away_is_not_asked_again_at_once(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch, root: User
) -> None:
    with transaction.atomic():
        attempt()
    away = mock.patch.object(other, "cursor", side_effect=OperationalError)
    admin: Client = logged_in(root)
    with later(seconds=11):
        with away as asked:
            assert admin.get("/admin/audit/loginattempt/").status_code == 200
            assert (reading_alias(), replica._State.problem) == ("default", "cannot be read (OperationalError)")
        assert asked.call_count == 1
        monkeypatch.setattr(replica._State, "paused_until", 0.0)
        assert reading_alias() == ALIAS
