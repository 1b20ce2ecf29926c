"""Ids for imported accounts: those of the former system where they have never been used here."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

from accounts.models import ReservedIds, User
from accounts.services.importing.errors import ImportRefused

_TABLE: Final = User._meta.db_table
_LOCK_SECONDS: Final = 5


class IdAllocation:
    """The ids up to `used` may have been used, but for those in `unused`, which an interrupted import has reserved.

    `reserve` keeps all ids up to another one from being given to others.
    """

    def __init__(self, used: int, unused: list[tuple[int, int]]) -> None:
        self.used = used
        self.unused = unused
        self.reserved = used

    def reserve(self, upto: int) -> None:
        self.reserved = max(self.reserved, upto)


@contextmanager
def reservation() -> Iterator[IdAllocation]:
    """Read how far ids have been used; at the end of the block the sequence moves behind those that are reserved.

    No id is reused: a deleted account's stays in the trail. Registrations wait for the moment that this takes. Raises
    ImportRefused.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        vendor = connection.vendor
        if vendor == "postgresql":
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            # Whoever has taken an id has inserted it, or waits for this lock and takes the id later.
            cursor.execute(f"LOCK TABLE {_TABLE} IN SHARE ROW EXCLUSIVE MODE")
        ids = IdAllocation(_used(vendor), list(ReservedIds.objects.values_list("first", "last")))
        yield ids
        if ids.reserved > ids.used:
            _advance(vendor, ids)
            ReservedIds.objects.create(first=ids.used + 1, last=ids.reserved)


def _used(vendor: str) -> int:
    with connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute(f"SELECT last_value, is_called FROM {_sequence()}")
            value, is_called = cursor.fetchone()
            last = value if is_called else 0
        elif vendor == "mysql":
            cursor.execute(f"SHOW CREATE TABLE {_TABLE}")
            match = re.search(r"AUTO_INCREMENT=(\d+)", cursor.fetchone()[1])
            last = int(match[1]) - 1 if match else 0
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [_TABLE])
            row = cursor.fetchone()
            last = row[0] if row else 0
    highest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return max(int(last), highest)


def _sequence() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [_TABLE])
        return str(cursor.fetchone()[0])


def _advance(vendor: str, ids: IdAllocation) -> None:
    with connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute("SELECT setval(%s::regclass, %s)", [_sequence(), ids.reserved])
        elif vendor == "mysql":
            _insert_and_remove(ids.reserved)
            if User.objects.filter(pk__gt=ids.used, pk__lte=ids.reserved).exists():
                raise ImportRefused("Somebody has registered at this moment. Nothing was imported: run it again.")
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [_TABLE])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [_TABLE, ids.reserved])


def _insert_and_remove(pk: int) -> None:
    """Move InnoDB's counter behind an id: a rollback does not move it back, and it needs no right to ALTER."""
    with transaction.atomic():
        name = f"import-{uuid.uuid4().hex}"
        User.objects.bulk_create([User(pk=pk, username=name, password="!")])  # noqa: S106 No password is usable.
        transaction.set_rollback(True)
