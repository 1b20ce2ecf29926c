"""Checks of the database: that it answers, and that it is set as the service relies on it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.policies import CLOCK_SKEW
from accounts.security.clock import ahead
from authsvc.doctor.findings import Finding, failure, ok, warning
from authsvc.observability.server_connections import server_connections

_CLOCK_WARNING: Final = timedelta(seconds=1)
_MOST_CONNECTIONS: Final = 0.8
_VERSION: Final = {
    "postgresql": "SHOW server_version",
    "mysql": "SELECT VERSION()",
    "sqlite": "SELECT sqlite_version()",
}
_READ_ONLY: Final = {
    "postgresql": "SELECT current_setting('transaction_read_only') = 'on'",
    "mysql": "SELECT @@GLOBAL.read_only",
    "sqlite": "SELECT query_only FROM pragma_query_only",
}
_LOGGED_VALUES: Final = {
    "log_parameter_max_length_on_error": "0",
    "log_parameter_max_length": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
}


def _connect() -> None:
    """Connect once without the pool, which would say no more than that it has no connection."""
    single = connection.copy()
    single.settings_dict["OPTIONS"].pop("pool", None)
    try:
        single.ensure_connection()
    finally:
        single.close()


def _value(sql: str, *values: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return row[0] if row else None


def database() -> Iterator[Finding]:
    """Connect. Raises django.db.Error where that fails."""
    _connect()
    version = str(_value(_VERSION[connection.vendor]))
    name = "MariaDB" if getattr(connection, "mysql_is_mariadb", False) else connection.display_name
    if _value(_READ_ONLY[connection.vendor]):
        yield failure(
            "database",
            f"{name} {version} is read-only.",
            "It is a standby, or an administrator has set it so: point DATABASE_URL to the primary.",
        )
    else:
        yield ok("database", f"{name} {version} answers and can be written.")


def isolation() -> Iterator[Finding]:
    level = {"postgresql": _postgresql_level, "mysql": _mysql_level, "sqlite": _sqlite_mode}[connection.vendor]()
    if level in {"read committed", "WAL"}:
        yield ok("isolation", f"Transactions run at {level}.")
    else:
        yield failure(
            "isolation",
            f"Transactions run at {level}.",
            "The service sets READ COMMITTED, or WAL on SQLite, for its connections: a pooler between changes it.",
        )


def _postgresql_level() -> str:
    return str(_value("SHOW transaction_isolation"))


def _mysql_level() -> str:
    # Releases of MariaDB and MySQL have one of the two names.
    with connection.cursor() as cursor:
        cursor.execute("SHOW VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')")
        return str(cursor.fetchone()[1]).replace("-", " ").lower()


def _sqlite_mode() -> str:
    return str(_value("PRAGMA journal_mode")).upper()


def time_zone_data() -> Iterator[Finding]:
    zone = settings.TIME_ZONE
    sql = {
        "postgresql": "SELECT count(*) FROM pg_timezone_names WHERE name = %s",
        "mysql": "SELECT CONVERT_TZ('2026-01-01 00:00:00', 'UTC', %s)",
    }.get(connection.vendor)
    if sql is None or _value(sql, zone):
        yield ok("time_zone_data", f"The database knows the time zone {zone}.")
    else:
        # The service computes the limits of a day itself.
        yield warning(
            "time_zone_data",
            f"The database does not know the time zone {zone}, which an administrator's own SQL may need.",
            "Load it: mariadb-tzinfo-to-sql /usr/share/zoneinfo | mariadb mysql; on PostgreSQL install tzdata.",
        )


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing := [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]:
        yield failure("migrations", f"Not applied: {', '.join(missing)}.", "Run manage.py migrate.")
    else:
        yield ok("migrations", "All are applied.")


def clock() -> Iterator[Finding]:
    difference = ahead()
    if difference is None:
        yield ok("clock", "The database is in this process.")
        return
    apart = abs(difference)
    text = f"This machine and the database are {apart.total_seconds():.1f} s apart."
    if apart < _CLOCK_WARNING:
        yield ok("clock", text)
    else:
        state = failure if apart >= CLOCK_SKEW else warning
        yield state("clock", text, "Let both follow the same time servers, with chrony for instance.")


def connections() -> Iterator[Finding]:
    found = server_connections()
    if found is None:
        yield ok("connections", "SQLite has no limit of connections.")
        return
    text = f"The server has {found.used} connections and accepts {found.limit}"
    pool = connection.settings_dict["OPTIONS"].get("pool") or {}
    own = settings.WEB_CONCURRENCY * int(pool.get("max_size", 0))
    if connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        own, text = 0, f"{text}; those of this node lead to PgBouncer."
    else:
        text += f"; this node opens up to {own}." if own else "; each thread of this node keeps one."
    if own > found.limit:
        yield failure("connections", text, "Lower DATABASE_POOL, or raise max_connections of the server.")
    elif found.used > _MOST_CONNECTIONS * found.limit:
        yield warning("connections", text, "Lower DATABASE_POOL on every node, or raise max_connections.")
    else:
        yield ok("connections", text)


def statement_timeout() -> Iterator[Finding]:
    """Check that the server ends a long statement, which behind a pooler only the role can ask for."""
    limit = _value("SHOW statement_timeout") if connection.vendor == "postgresql" else None
    if limit == "0":
        yield warning(
            "statement_timeout",
            "The server ends no statement, however long it takes.",
            "ALTER ROLE authsvc SET statement_timeout = '15s': PgBouncer passes on no limit of the service.",
        )
    else:
        yield ok(
            "statement_timeout",
            f"The server ends a statement after {limit}." if limit else "No pooler takes the limit away.",
        )


def server_log() -> Iterator[Finding]:
    """Check that the server's own log contains no values, among which are password hashes."""
    logs = {"postgresql": _postgresql_logs, "mysql": _mysql_logs}.get(connection.vendor)
    logged = logs() if logs else ""
    if logged:
        yield warning(
            "server_log",
            f"The database writes password hashes and contacts to its own log: {logged}.",
            "docs/operations.md lists the settings that keep values out of it.",
        )
    else:
        yield ok("server_log", "The database writes no parameters of statements to its own log.")


def _postgresql_logs() -> str:
    found = {name: str(_value("SELECT current_setting(%s)", name)) for name in _LOGGED_VALUES}
    differing = [name for name, value in _LOGGED_VALUES.items() if found[name] != value]
    # Without the values, the texts of statements may be logged.
    harmless = {"log_parameter_max_length"}
    if found["log_parameter_max_length"] == "0":
        harmless |= {"log_statement", "log_min_duration_statement", "log_min_duration_sample"}
    return ", ".join(f"{name} = {found[name]}" for name in differing if name not in harmless)


def _mysql_logs() -> str:
    on = [name for name in ("general_log", "slow_query_log") if _value(f"SELECT @@GLOBAL.{name}")]
    return ", ".join(f"{name} = ON" for name in on)
