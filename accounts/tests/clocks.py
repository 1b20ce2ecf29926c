"""The clocks of this process and of the database, stopped and moved together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

import time_machine
from django.db import connection
from django.utils import timezone
from time_machine import escape_hatch

from accounts.security.keys import ring

# PostgreSQL looks into its own catalogue first, unless the path names it later.
_POSTGRESQL = """
CREATE SCHEMA stopped;
CREATE FUNCTION stopped.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql
AS $$ SELECT current_setting('stopped.now')::timestamptz $$;
SET LOCAL search_path = stopped, public, pg_catalog;
"""


def _seconds_since(start: datetime) -> Callable[[], float]:
    return lambda: (timezone.now() - start).total_seconds()


def _sqlite_now(form: str, moment: str) -> str:
    return timezone.now().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _start() -> None:
    """Replace the clock of the database. PostgreSQL restores it with the end of the transaction."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function("strftime", 2, _sqlite_now)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_POSTGRESQL)


def _set_time() -> None:
    """Give the database this process's time."""
    statement = {"postgresql": "SELECT set_config('stopped.now', %s, true)", "mysql": "SET timestamp = %s"}.get(
        connection.vendor
    )
    if statement:
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(statement, [now.isoformat() if connection.vendor == "postgresql" else now.timestamp()])


def _sqlite_true_now(form: str, moment: str) -> str:
    now = escape_hatch.datetime.datetime.now if escape_hatch.is_travelling() else datetime.now
    return now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _stop() -> None:
    """Give the database a clock of its own again, which a later test does not move with that of this process."""
    if connection.vendor == "sqlite":
        # SQLite's own function is lost once it is replaced.
        connection.connection.create_function("strftime", 2, _sqlite_true_now)
    elif connection.vendor == "mysql":
        # Django sends nothing more of a transaction that is to be rolled back.
        with connection.connection.cursor() as cursor:
            cursor.execute("SET timestamp = DEFAULT")


@contextmanager
def stopped_clocks(at: datetime) -> Iterator[Callable[[timedelta], None]]:
    """Stop every clock at this time, inside a transaction; yields what moves them on."""
    # The key ring has a clock of its own.
    clock = mock.patch.object(ring, "_clock", _seconds_since(at))
    with time_machine.travel(at, tick=False) as wall, clock:

        def move(by: timedelta) -> None:
            wall.shift(by)
            _set_time()

        _start()
        _set_time()
        try:
            yield move
        finally:
            _stop()
