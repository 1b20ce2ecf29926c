"""Commands that maintain the database: which limits of time apply to them, and what a lock that is held costs."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import OperationalError, connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from psycopg.errors import LockNotAvailable

from accounts.tests.databases import direct_connection
from audit.online_indexes import AddIndexOnline, AddUniqueConstraintOnline
from authsvc.configuration.maintenance import LOCK_PAUSES, maintenance_limits

LIMITS = {
    "postgresql": "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')",
    "mysql": "SELECT @@max_statement_time, @@lock_wait_timeout",
}
IN_THE_SERVICE = {"postgresql": ("15s", "0"), "mysql": (15, 86400)}
IN_MAINTENANCE = {"postgresql": ("0", "3s"), "mysql": (0, 3)}
ON_A_SERVER = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no such limits.")
ON_POSTGRESQL = pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL needs or has it.")


@pytest.fixture
def other(db: None) -> Iterator[BaseDatabaseWrapper]:
    """Another connection to the test's database."""
    wrapper = direct_connection()
    yield wrapper
    wrapper.close()


def limits(wrapper: BaseDatabaseWrapper) -> tuple[Any, ...]:
    with wrapper.cursor() as cursor:
        cursor.execute(LIMITS[wrapper.vendor])
        return tuple(cursor.fetchone())


@ON_A_SERVER
def test_the_limits_of_the_service_do_not_apply_and_locks_are_waited_for_briefly(other: BaseDatabaseWrapper) -> None:
    before = limits(other)
    with maintenance_limits(other):
        during = limits(other)
    assert (before, during, limits(other)) == (
        IN_THE_SERVICE[other.vendor],
        IN_MAINTENANCE[other.vendor],
        IN_THE_SERVICE[other.vendor],
    )


@ON_POSTGRESQL
def test_the_operators_own_limits_win(other: BaseDatabaseWrapper) -> None:
    other.settings_dict["OPTIONS"]["options"] += " -c statement_timeout=60000 -c lock_timeout=9000"
    with maintenance_limits(other):
        assert limits(other) == ("1min", "9s")


@pytest.mark.any_database
class TestMigrate:
    @pytest.fixture
    def pauses(self, monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
        pauses = mock.Mock()
        monkeypatch.setattr("authsvc.management.commands.migrate.time.sleep", pauses)
        return pauses

    def locked(self) -> OperationalError:
        error = OperationalError("canceling statement due to lock timeout")
        error.__cause__ = LockNotAvailable()
        return error

    @pytest.mark.django_db
    def test_a_migration_that_gets_no_lock_is_repeated(
        self, monkeypatch: pytest.MonkeyPatch, pauses: mock.Mock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = mock.Mock(side_effect=[self.locked(), self.locked(), None])
        monkeypatch.setattr(migrate.Command, "handle", run)
        call_command("migrate")
        assert (run.call_count, [call.args[0] for call in pauses.call_args_list]) == (3, [1, 2])
        assert "Another transaction holds a lock that the migration needs; again in 1 s." in capsys.readouterr().err

    @pytest.mark.django_db
    def test_it_is_not_repeated_for_ever(self, monkeypatch: pytest.MonkeyPatch, pauses: mock.Mock) -> None:
        monkeypatch.setattr(migrate.Command, "handle", mock.Mock(side_effect=lambda **_: self.fail()))
        with pytest.raises(OperationalError):
            call_command("migrate", verbosity=0)
        assert pauses.call_count == len(LOCK_PAUSES)

    def fail(self) -> None:
        raise self.locked()

    @pytest.mark.django_db
    def test_another_error_ends_it(self, monkeypatch: pytest.MonkeyPatch, pauses: mock.Mock) -> None:
        monkeypatch.setattr(migrate.Command, "handle", mock.Mock(side_effect=OperationalError("disk full")))
        with pytest.raises(OperationalError):
            call_command("migrate")
        assert pauses.call_count == 0


INDEX = AddIndexOnline(
    model_name="session",
    index=models.Index(fields=["user", "contract", "ended_at", "expires_at"], name="session_live"),
)
PLACE = AddUniqueConstraintOnline(
    model_name="loginattempt",
    constraint=models.UniqueConstraint(fields=("lane", "number"), name="loginattempt_place"),
)


def apply(app: str, operation: Any) -> None:
    state = MigrationExecutor(connection).loader.project_state()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards(app, editor, state, state)


def execute(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


@pytest.mark.django_db(transaction=True)
class TestOnlineIndexes:
    @pytest.mark.parametrize(("app", "operation"), [("accounts", INDEX), ("audit", PLACE)], ids=["index", "constraint"])
    def test_one_that_exists_is_left(self, app: str, operation: Any) -> None:
        apply(app, operation)

    @ON_POSTGRESQL
    def test_one_that_an_interruption_left_unfinished_is_made_anew(self) -> None:
        execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'session_live'::regclass")
        apply("accounts", INDEX)
        assert execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'session_live'::regclass") == [(True,)]

    @ON_POSTGRESQL
    def test_a_constraint_is_made_of_an_index(self) -> None:
        execute("ALTER TABLE audit_loginattempt DROP CONSTRAINT loginattempt_place")
        apply("audit", PLACE)
        assert execute("SELECT contype, convalidated FROM pg_constraint WHERE conname = 'loginattempt_place'") == [
            ("u", True)
        ]
