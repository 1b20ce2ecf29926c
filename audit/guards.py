"""Triggers by which the database itself refuses to change or delete rows of the trail, and the purge's way past them.

They stop this service, an injection into one of its statements and a careless administrator. They do not stop who may
drop triggers; `trail verify` finds what such a person changes, and names missing triggers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection

TABLES: Final = ("audit_loginattempt", "audit_securityevent")
_MESSAGE: Final = "Rows of the trail are never changed; manage.py purge removes those past retention."
# Even a purge removes no row that is younger (China's Cybersecurity Law, article 21: six months).
_LEAST_DAYS: Final = 180

_POSTGRESQL: Final = [
    f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' AND current_setting('authsvc.purge', true) = 'on' THEN
        IF OLD.at < now() - interval '{_LEAST_DAYS} days' THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    *(
        sql
        for table in TABLES
        for sql in (
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
            f"CREATE TRIGGER {table}_all BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
        )
    ),
]
_MYSQL: Final = [
    sql
    for table in TABLES
    for sql in (
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} FOR EACH ROW "
        f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{_MESSAGE}'",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW "
        f"IF @authsvc_purge IS NULL OR OLD.at > UTC_TIMESTAMP() - INTERVAL {_LEAST_DAYS} DAY THEN "
        f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{_MESSAGE}'; END IF",
    )
]
# REPLACE removes rows without asking a DELETE trigger, so that an INSERT in the place of a row is refused as well.
_SQLITE: Final = [
    "CREATE TABLE IF NOT EXISTS audit_purge (open integer NOT NULL PRIMARY KEY)",
    *(
        f"CREATE TRIGGER IF NOT EXISTS {table}_{name} BEFORE {operation} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
        for table in TABLES
        for name, operation, condition in (
            ("update", "UPDATE", "1"),
            (
                "delete",
                "DELETE",
                f"NOT EXISTS (SELECT 1 FROM audit_purge) OR OLD.at > datetime('now', '-{_LEAST_DAYS} days')",
            ),
            (
                "replace",
                "INSERT",
                f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR (lane = NEW.lane AND number = NEW.number))",
            ),
        )
    ),
]
_CREATE: Final = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "sqlite": _SQLITE}
_NAMES: Final = {
    "postgresql": ("rows", "all"),
    "mysql": ("update", "delete"),
    "sqlite": ("update", "delete", "replace"),
}
_EXISTING: Final = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'",
    "mysql": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}
_OPEN: Final = {
    "postgresql": "SELECT set_config('authsvc.purge', 'on', true)",
    "mysql": "SET @authsvc_purge = 1",
    "sqlite": "INSERT INTO audit_purge (open) VALUES (1)",
}
_CLOSE: Final = {
    "postgresql": "SELECT set_config('authsvc.purge', '', true)",
    "mysql": "SET @authsvc_purge = NULL",
    "sqlite": "DELETE FROM audit_purge",
}


def create(execute: Callable[[str], object]) -> None:
    """Create the triggers. A migration that rebuilds a table of the trail on SQLite has to do it again."""
    for sql in _CREATE[connection.vendor]:
        execute(sql)


def drop(execute: Callable[[str], object]) -> None:
    """Remove the triggers that there are, and what they need."""
    vendor = connection.vendor
    for table in TABLES:
        for name in _NAMES[vendor]:
            execute(f"DROP TRIGGER IF EXISTS {table}_{name}" + (f" ON {table}" if vendor == "postgresql" else ""))
    if vendor == "postgresql":
        execute("DROP FUNCTION audit_refuse()")
    if vendor == "sqlite":
        execute("DROP TABLE audit_purge")


def missing() -> list[str]:
    """Return the names of triggers that are not there or are off. MariaDB shows them to their table's owner alone."""
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING[connection.vendor])
        existing = {name for (name,) in cursor.fetchall()}
    return sorted({f"{table}_{name}" for table in TABLES for name in _NAMES[connection.vendor]} - existing)


@contextmanager
def open_for_purge(cursor: Any) -> Iterator[None]:
    """Let this transaction delete rows that are older than half a year."""
    cursor.execute(_OPEN[connection.vendor])
    try:
        yield
    except BaseException:
        # The transaction rolls back, and with it all but a variable of the session.
        if connection.vendor == "mysql":
            cursor.execute(_CLOSE["mysql"])
        raise
    cursor.execute(_CLOSE[connection.vendor])
