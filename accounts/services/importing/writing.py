"""Writes what is planned: the accounts, former login attempts and the event, in one transaction."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import DatabaseError, IntegrityError, transaction

from accounts.models import ImportedAccount, ReservedIds, User
from accounts.security import former_kinds
from accounts.services.importing import ids, login_logs
from accounts.services.importing.errors import ImportRefused
from accounts.services.importing.sources import Source
from accounts.services.importing.spool import COMING, Person, Spool
from accounts.services.importing.systems import FormerSystem
from audit.events import Event
from audit.models import Entry, SecurityEvent
from audit.origin import Origin
from audit.prepared import PreparedInsert
from audit.record import record_many

_CHANGED_MEANWHILE: Final = "An account has been changed or added meanwhile. Nothing was imported: run it again."
# The canonical forms are in the plan already.
_ACCOUNTS: Final = PreparedInsert(User, own_id=True)
_ORIGINS: Final = PreparedInsert(ImportedAccount)
_COMES: Final = "outcome IN (?, ?)"
_UNUSED: Final = "EXISTS (SELECT 1 FROM unused WHERE former_id BETWEEN first AND last)"
_FREE: Final = f"{_COMES} AND (former_id > ? OR {_UNUSED})"
_TIMES: Final = ("last_login", "created_at")


@dataclass(slots=True)
class Written:
    """How far an import is: accounts, and former login attempts with those that are left out."""

    accounts: int = 0
    logs: int = 0
    logs_left_out: int = 0


@dataclass(frozen=True, slots=True)
class DoneBy:
    """What the trail says of an import: its key, which is the request id of its rows, its origin and its source."""

    key: str
    origin: Origin
    source: str


def assign_ids(spool: Spool, *, reserve: bool) -> None:
    """Give everybody who comes an id: the former one where it is free, else the next one. Raises ImportRefused.

    `reserve` keeps others from getting them; without it they may change until the import.
    """
    with ids.reservation() as reserved:
        spool.update("INSERT INTO unused VALUES (?, ?)", reserved.unused)
        values = (*COMING, reserved.used)
        highest = spool.scalar(f"SELECT COALESCE(MAX(former_id), 0) FROM person WHERE {_FREE}", *values)
        spool.update(
            "UPDATE person SET user_id = former_id WHERE number IN"
            f" (SELECT MIN(number) FROM person WHERE {_FREE} GROUP BY former_id)",
            [values],
        )
        following = max(highest, reserved.used)
        for rows in spool.batches("former_id", f"{_COMES} AND user_id IS NULL", *COMING):
            spool.update(
                "UPDATE person SET user_id = ? WHERE number = ?",
                [(following + place, number) for place, (number, _id) in enumerate(rows, start=1)],
            )
            following += len(rows)
        if reserve:
            reserved.reserve(following)


def write(spool: Spool, source: Source, system: FormerSystem, done_by: DoneBy) -> Generator[Written, None, None]:
    """Write everything in one transaction; yield how far it is. An iterator that is not exhausted writes nothing.

    Raises ImportRefused.
    """
    written = Written()
    try:
        with transaction.atomic():
            for people in spool.people(*COMING):
                _write_accounts(people, system)
                written.accounts += len(people)
                yield written
            former_kinds.refresh()
            ReservedIds.objects.all().delete()
            for _count in record_many(_entries(spool, source, system, done_by, written)):
                yield written
    except IntegrityError as error:
        raise ImportRefused(_CHANGED_MEANWHILE) from error
    except DatabaseError as error:
        raise ImportRefused(f"The database refused it: {error}. Nothing was imported.") from error


def _write_accounts(people: list[Person], system: FormerSystem) -> None:
    accounts = [_account(person) for person in people]
    _ACCOUNTS.execute_many(accounts)
    _ORIGINS.execute_many(
        ImportedAccount(digest=each.digest, user_id=each.user_id or 0, system=system.name, former_id=each.former_id)
        for each in people
    )


def _account(person: Person) -> User:
    columns = person.columns
    for name in _TIMES:
        if name in columns:
            columns[name] = datetime.fromisoformat(columns[name])
    user = User(pk=person.user_id, **columns)
    user.vouched_email, user.vouched_phone = user.email_key or "", user.phone or ""
    return user


def _entries(spool: Spool, source: Source, system: FormerSystem, done_by: DoneBy, written: Written) -> Iterator[Entry]:
    for attempts, left_out in login_logs.attempts(spool, source, system, done_by.key):
        yield from attempts
        written.logs += len(attempts)
        written.logs_left_out += left_out
    counts: dict[str, object] = {outcome.value: count for outcome, count in spool.counts().items()}
    yield SecurityEvent(
        event=Event.USERS_IMPORTED,
        request_id=done_by.key,
        contract=done_by.origin.contract,
        detail={
            "system": system.name,
            "source": done_by.source,
            **counts,
            "login_attempts": written.logs,
            "login_attempts_left_out": written.logs_left_out,
        },
    )
