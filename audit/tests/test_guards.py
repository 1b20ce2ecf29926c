from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import guards
from audit.events import Event
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import Origin
from audit.record import record

pytestmark = pytest.mark.django_db
TABLES = guards.TABLES


@pytest.fixture(autouse=True)
def _rows(origin: Origin) -> None:
    long_ago = timezone.now() - timedelta(days=181)
    for at in (timezone.now() - timedelta(days=179), long_ago):
        attempt = LoginAttempt.of(origin, "alice", user_id=None)
        event = SecurityEvent.of(origin, Event.USER_CHANGED, user_id=1)
        attempt.at = event.at = at
        record(attempt, event)


def execute(sql: str, *parameters: Any) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def test_every_trigger_is_there_after_all_migrations() -> None:
    assert guards.missing() == []


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET request_id = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_and_to_delete_rows(table: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="Rows of the trail are never changed"):
        execute(statement.format(table))


@pytest.mark.parametrize("table", TABLES)
def test_the_purge_deletes_no_row_younger_than_half_a_year(table: str) -> None:
    recent = timezone.now() - timedelta(days=180)

    def purge(condition: str) -> int:
        with transaction.atomic(), connection.cursor() as cursor, guards.open_for_purge(cursor):
            cursor.execute(f"DELETE FROM {table} WHERE {condition}", [connection.ops.adapt_datetimefield_value(recent)])
            return int(cursor.rowcount)

    with pytest.raises(DatabaseError, match="Rows of the trail are never changed"):
        purge("at > %s")
    assert purge("at < %s") == 1
    with pytest.raises(DatabaseError, match="Rows of the trail are never changed"):
        execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_the_purge_changes_no_row(table: str) -> None:
    with (
        pytest.raises(DatabaseError, match="Rows of the trail are never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
        guards.open_for_purge(cursor),
    ):
        cursor.execute(f"UPDATE {table} SET request_id = 'x'")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL has triggers for TRUNCATE")
def test_the_database_refuses_to_empty_a_table(table: str) -> None:
    with pytest.raises(DatabaseError, match="Rows of the trail are never changed"):
        execute(f"TRUNCATE {table}")


@pytest.mark.parametrize("same", ["id", "lane, number"])
@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL has no REPLACE")
def test_a_row_is_not_replaced(same: str) -> None:
    columns = "contract, user_agent, request_id, at, identifier, status, failure_reason, repeats"
    sql = f"REPLACE INTO audit_loginattempt ({columns}, {same}) SELECT {columns}, {same} FROM audit_loginattempt"
    with pytest.raises(DatabaseError, match="Rows of the trail are never changed"):
        execute(sql)
