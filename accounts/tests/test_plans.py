"""How PostgreSQL finds the rows of the statements that run most often."""

import re
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User
from accounts.services import sessions
from accounts.tests.admin_client import logged_in
from accounts.tests.tools import Api

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Plans of PostgreSQL."),
]


def scans(statements: list[str]) -> list[str]:
    """Return the parts of the statements' plans that read a whole table though a scan of an index was preferred."""
    with connection.cursor() as cursor:
        # Tables of a test are so small that a scan is the cheapest plan.
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for sql in statements:
            if not sql.startswith("INSERT"):
                cursor.execute(f"EXPLAIN {sql}")
                plans += [line for (line,) in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    assert plans
    return [line for line in plans if "Seq Scan" in line]


def large_tables_scanned(statements: list[str]) -> list[str]:
    return [line for line in scans(statements) if re.search("on (accounts_user|accounts_session|audit_)", line)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda api, tokens: api.get("me", tokens["access_token"]),
        lambda api, tokens: api.login(),
        lambda api, tokens: api.login(password="wrong"),
        lambda api, tokens: api.post("refresh", {"refresh_token": tokens["refresh_token"]}),
        lambda api, tokens: api.get("sessions", tokens["access_token"]),
    ],
    ids=["me", "login", "wrong password", "refresh", "own sessions"],
)
def test_it_reads_no_whole_table(alice: User, statements: Any, ask: Callable[[Api, Any], Any]) -> None:
    api = Api()
    tokens = api.tokens()
    with statements() as captured:
        assert ask(api, tokens).status_code in {200, 401}
    assert scans(captured.sql) == []


def test_the_active_sessions_are_found_by_their_index(alice: User) -> None:
    now = timezone.now()
    session = Session(user=alice, stamp=alice.stamp, created_at=now, last_seen_at=now, latest_end_at=now)
    rows = [copy(session) for _ in range(2000)]
    for number, row in enumerate(rows):
        row.pk, row.rotated_at, row.ended_at = uuid4(), now, now if number > 10 else None
        row.expires_at = now + timedelta(days=1)
    Session.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_session")
    assert "session_active" in Session.objects.filter(sessions.is_active(now)).explain()


@pytest.mark.parametrize(
    "path",
    [
        "accounts/user/?q=wang-xiaoming",
        "accounts/user/?q=138-0013-8000",
        "audit/loginattempt/?q=wang-xiaoming",
        "audit/securityevent/?q=wang-xiaoming",
    ],
)
def test_a_search_at_the_admin_site_reads_no_whole_table(head: User, path: str, statements: Any) -> None:
    site = logged_in(head)
    with statements() as captured:
        assert site.get(f"/admin/{path}").status_code == 200
    assert large_tables_scanned(captured.sql) == []


@pytest.mark.parametrize("path", ["accounts/user/", "accounts/session/", "audit/loginattempt/", "audit/securityevent/"])
def test_the_rows_of_a_list_are_found_in_the_order_of_an_index(head: User, path: str, statements: Any) -> None:
    site = logged_in(head)
    with statements() as captured:
        assert site.get(f"/admin/{path}").status_code == 200
    # A count reads no more rows than a list may have.
    rows = [sql for sql in captured.sql if "ORDER BY" in sql]
    assert rows
    assert large_tables_scanned(rows) == []


def test_a_search_of_the_api_reads_no_whole_table(head: User, statements: Any) -> None:
    api = Api()
    token = api.tokens("head")["access_token"]
    with statements() as captured:
        assert api.get("users?search=wang-xiaoming", token).status_code == 200
    assert large_tables_scanned(captured.sql) == []
