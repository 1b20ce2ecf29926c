"""Connections of commands that maintain the database: no time limit of the service applies to them, the operator's do.

A statement on a large table takes as long as it takes. A lock is waited for briefly, because whatever comes after the
waiting statement waits too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from authsvc.configuration import databases

LOCK_SECONDS: Final = 3
# The pauses, in seconds, after which what got no lock is repeated: five minutes in all.
LOCK_PAUSES: Final = (1, 2, 5, 10, *[15] * 18)
# Where neither the role nor the database nor the connection has a limit of its own.
_POSTGRESQL_LOCKS: Final = (
    "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'lock_timeout' AND source = 'default'"
)
# A day is MariaDB's default, and a year MySQL's.
_MYSQL_LOCKS: Final = (
    f"SET lock_wait_timeout = IF(@@global.lock_wait_timeout >= 86400, {LOCK_SECONDS}, @@global.lock_wait_timeout)"
)


@contextmanager
def maintenance_limits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Use a connection of its own for maintenance meanwhile; on SQLite, and inside a transaction, nothing changes."""
    if connection.vendor not in {"postgresql", "mysql"} or connection.in_atomic_block:
        yield
        return
    former = connection.settings_dict["OPTIONS"]
    connection.close()
    connection.settings_dict["OPTIONS"] = without_limits(former)
    try:
        with connection.cursor() as cursor:
            # Behind a pooler the setting would outlive the command, in a connection that others share.
            if connection.vendor == "mysql":
                cursor.execute(_MYSQL_LOCKS)
            elif not connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
                cursor.execute(_POSTGRESQL_LOCKS, [f"{LOCK_SECONDS}s"])
        yield
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"] = former


def without_limits(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a database without the time limits of the service."""
    unlimited = deepcopy({name: value for name, value in options.items() if name not in {"pool", "longest_wait"}})
    if text := unlimited.get("options"):
        unlimited["options"] = text.removeprefix(databases.STATEMENT_OPTION).strip()
    if command := unlimited.get("init_command"):
        unlimited["init_command"] = command.replace(databases.STATEMENT_VARIABLE, "")
    for name in ("read_timeout", "write_timeout"):
        if unlimited.get(name) == databases.LONGEST_WAIT:
            del unlimited[name]
    return unlimited
