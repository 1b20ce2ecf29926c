"""Whether this process can serve: its database answers, accepts writes and is migrated, and it can issue tokens."""

import os
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.errors import KeysUnavailable
from accounts.security import keys
from accounts.security.clock import clock_check
from authsvc import draining

# What each server says of itself where it refuses writes; the last column of every row is 0 or off otherwise. Whoever
# may write nevertheless, as a superuser of MariaDB may on a replica, must not.
_READ_ONLY: Final = {
    "postgresql": "SELECT current_setting('transaction_read_only')",
    "mysql": (
        "SHOW SESSION VARIABLES WHERE Variable_name IN"
        " ('read_only', 'innodb_read_only', 'tx_read_only', 'transaction_read_only')"
    ),
    "sqlite": "PRAGMA query_only",
}
_OFF: Final = frozenset({"0", "off"})


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result of each check; one that could not be made has failed. `draining` says that the process is stopping."""

    database: bool
    writable: bool
    migrations: bool
    keys: bool
    clock: bool
    draining: bool

    @property
    def ready(self) -> bool:
        return self.database and self.writable and self.migrations and self.keys and self.clock and not self.draining

    def as_dict(self) -> dict[str, bool]:
        return asdict(self)


def check() -> Readiness:
    """Make every check, with one statement each."""
    try:
        writable = _is_writable()
    except Error:
        none = dict.fromkeys(("database", "writable", "migrations", "keys", "clock"), False)
        return Readiness(**none, draining=draining.has_begun())
    migrated = _is_migrated()
    return Readiness(
        database=True,
        writable=writable,
        migrations=migrated,
        keys=migrated and _keys_are_readable(),
        clock=_clock_is_right(),
        draining=draining.has_begun(),
    )


def _is_writable() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_READ_ONLY[connection.vendor])
        values = [str(row[-1]).lower() for row in cursor.fetchall()]
    if connection.vendor == "sqlite" and not os.access(connection.settings_dict["NAME"], os.W_OK):
        return False
    return _OFF.issuperset(values)


def _is_migrated() -> bool:
    try:
        applied = set(MigrationRecorder.Migration.objects.values_list("app", "name"))
    except Error:
        return False
    return _migrations() <= applied


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Return the migrations of this release. A newer schema has more, and this release runs on it."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _keys_are_readable() -> bool:
    try:
        return not keys.unreadable_purposes()
    except Error:
        return False


def _clock_is_right() -> bool:
    try:
        clock_check.require_right()
    except (Error, KeysUnavailable):
        return False
    return True
