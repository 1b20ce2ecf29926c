"""Writes what is planned: the accounts, former login attempts and the event, in one transaction."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import ImportedAccount, ReservedIds, User
from accounts.security import former_kinds
from accounts.services.importing import ids, login_logs
from accounts.services.importing.errors import ImportRefused
from accounts.services.importing.import_plan import COMING, ImportPlan, PlannedAccount
from accounts.services.importing.sources import Source
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
_TIMES: Final = ("last_login", "created_at", "password_changed_at")
_DAYS: Final = ("valid_from", "valid_until")


@dataclass(slots=True)
class WriteProgress:
    """How far an import is: accounts, and former login attempts with those that are left out."""

    accounts: int = 0
    logs: int = 0
    logs_left_out: int = 0


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What the trail says of an import: its key, which is the request id of its rows, its origin and its source."""

    key: str
    origin: Origin
    source: str


def assign_ids(import_plan: ImportPlan, *, reserve: bool) -> None:
    """Give everybody who comes an id: the former one where it is free, else the next one. Raises ImportRefused.

    `reserve` keeps others from getting them; without it they may change until the import.
    """
    with ids.reservation() as reserved:
        import_plan.update("INSERT INTO unused VALUES (?, ?)", reserved.unused)
        values = (*COMING, reserved.used)
        highest = import_plan.scalar(f"SELECT COALESCE(MAX(former_id), 0) FROM person WHERE {_FREE}", *values)
        import_plan.update(
            "UPDATE person SET user_id = former_id WHERE number IN"
            f" (SELECT MIN(number) FROM person WHERE {_FREE} GROUP BY former_id)",
            [values],
        )
        following = max(highest, reserved.used)
        for rows in import_plan.batches("former_id", f"{_COMES} AND user_id IS NULL", *COMING):
            import_plan.update(
                "UPDATE person SET user_id = ? WHERE number = ?",
                [(following + place, number) for place, (number, _id) in enumerate(rows, start=1)],
            )
            following += len(rows)
        if reserve:
            reserved.reserve(following)


def write(
    import_plan: ImportPlan, source: Source, system: FormerSystem, context: ImportContext
) -> Generator[WriteProgress, None, None]:
    """Write everything in one transaction; yield how far it is. An iterator that is not exhausted writes nothing.

    Raises ImportRefused.
    """
    progress = WriteProgress()
    try:
        with transaction.atomic():
            for people in import_plan.people(*COMING):
                _write_accounts(people, system)
                progress.accounts += len(people)
                yield progress
            former_kinds.refresh()
            ReservedIds.objects.all().delete()
            for _count in record_many(_entries(import_plan, source, system, context, progress)):
                yield progress
    except IntegrityError as error:
        raise ImportRefused(_CHANGED_MEANWHILE) from error
    except DatabaseError as error:
        raise ImportRefused(f"The database refused it: {error}. Nothing was imported.") from error


def _write_accounts(people: list[PlannedAccount], system: FormerSystem) -> None:
    accounts = [_account(person) for person in people]
    _ACCOUNTS.execute_many(accounts)
    _ORIGINS.execute_many(
        ImportedAccount(digest=each.digest, user_id=each.user_id or 0, system=system.name, former_id=each.former_id)
        for each in people
    )


def _account(person: PlannedAccount) -> User:
    columns = person.columns
    for name in _TIMES:
        if name in columns:
            columns[name] = datetime.fromisoformat(columns[name])
    for name in _DAYS:
        if name in columns:
            columns[name] = date.fromisoformat(columns[name])
    user = User(pk=person.user_id, **columns)
    user.activated_at = timezone.now()
    user.vouched_email, user.vouched_phone = user.email_key or "", user.phone or ""
    return user


def _entries(
    import_plan: ImportPlan, source: Source, system: FormerSystem, context: ImportContext, progress: WriteProgress
) -> Iterator[Entry]:
    for attempts, left_out in login_logs.attempts(import_plan, source, system, context.key):
        yield from attempts
        progress.logs += len(attempts)
        progress.logs_left_out += left_out
    counts: dict[str, object] = {outcome.value: count for outcome, count in import_plan.counts().items()}
    yield SecurityEvent(
        event=Event.USERS_IMPORTED,
        request_id=context.key,
        contract=context.origin.contract,
        detail={
            "system": system.name,
            "source": context.source,
            **counts,
            "login_attempts": progress.logs,
            "login_attempts_left_out": progress.logs_left_out,
        },
    )
