"""Raw SQL on the trail, with the triggers off, as somebody with the database superuser's password runs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from audit import guards


def switchable(triggers: list[str]) -> list[str]:
    """Return MariaDB's triggers so that a variable of the session turns them off."""
    off = "FOR EACH ROW IF @authsvc_tests IS NULL"
    update, delete = "FOR EACH ROW SIGNAL", "FOR EACH ROW IF @authsvc_purge IS NULL OR"
    return [
        f"{sql.replace(update, f'{off} THEN SIGNAL')}; END IF"
        if update in sql
        else sql.replace(delete, f"{off} AND (@authsvc_purge IS NULL OR").replace(" DAY THEN ", " DAY) THEN ")
        for sql in triggers
    ]


@contextmanager
def unguarded() -> Iterator[None]:
    """Turn the triggers off."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET @authsvc_tests = 1")
            try:
                yield
            finally:
                cursor.execute("SET @authsvc_tests = NULL")
            return
        with transaction.atomic():
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL session_replication_role = replica")
                yield
                cursor.execute("SET LOCAL session_replication_role = DEFAULT")
                return
            guards.drop(cursor.execute)
            yield
            guards.create(cursor.execute)


def run(sql: str, *parameters: Any) -> int:
    """Run a statement with the triggers off, and return how many rows it matched."""
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
