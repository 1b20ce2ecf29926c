"""Removal of rows that have no effect any more: what is removed, when, and how.

Every table that grows with use has an entry in `PURGES`; docs/retention.md says why the others have none. Rows are
removed in batches, each in a transaction of its own, so that a run may be interrupted and repeated, several may run at
once, and traffic goes on beside it.
"""

import time
import uuid
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.models import Session as AdminSession
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import (
    AttemptBudget,
    Code,
    FormerHashKind,
    FormerPassword,
    Message,
    SecondFactor,
    Session,
    SpentChallenge,
)
from accounts.policies import BUDGET_KEPT, CODE_KEPT, MESSAGE_KEPT, SESSION_KEPT, UNCONFIRMED_FACTOR_KEPT
from accounts.security import former_kinds
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent, TrailCheck
from audit.origin import Origin
from audit.record import record
from audit.retention import purge_trail

# Rows that a batch examines; it removes those of them that are expired.
BATCH: Final = 1_000
# A run rests this many times as long as its last batch took, so that traffic has the database to itself meanwhile.
_REST: Final = 4


@dataclass(frozen=True, slots=True)
class ExpiredRows:
    """The expired rows of a table, and an indexed column in whose order the table is walked up to them.

    The walk bounds each statement: a search for a thousand expired rows could examine millions of others.
    """

    table: QuerySet[Any]
    expired: QuerySet[Any]
    column: str

    def windows(self) -> Iterator[Q]:
        """Yield conditions that divide the table into parts of BATCH rows, or more where they share a value."""
        last: Any = None
        while True:
            rest = self.table.filter(_after(self.column, last)).order_by(self.column)
            values = list(rest.values_list(self.column, flat=True)[:BATCH])
            if not values:
                return
            yield _after(self.column, last) & Q(**{f"{self.column}__lte": values[-1]})
            last = values[-1]


def _after(column: str, value: Any) -> Q:
    return Q() if value is None else Q(**{f"{column}__gt": value})


def _sessions(now: datetime) -> ExpiredRows:
    since = now - SESSION_KEPT
    # A session that ended then began before; the table has an index of the beginning.
    older = Session.objects.filter(created_at__lte=since)
    return ExpiredRows(older, older.filter(Q(ended_at__lte=since) | Q(expires_at__lte=since)), "created_at")


def _messages(now: datetime) -> ExpiredRows:
    return ExpiredRows(Message.objects.all(), Message.objects.filter(expires_at__lte=now - MESSAGE_KEPT), "pk")


def _codes(now: datetime) -> ExpiredRows:
    codes = Code.objects.filter(expires_at__lte=now - CODE_KEPT)
    return ExpiredRows(codes, codes, "expires_at")


def _challenges(now: datetime) -> ExpiredRows:
    """WebAuthn challenges that have served and would be refused without their row by now."""
    challenges = SpentChallenge.objects.filter(expires_at__lte=now)
    return ExpiredRows(challenges, challenges, "expires_at")


def _unconfirmed_factors(now: datetime) -> ExpiredRows:
    older = SecondFactor.objects.filter(created_at__lte=now - UNCONFIRMED_FACTOR_KEPT)
    return ExpiredRows(older, older.filter(confirmed_at=None), "pk")


def _former_passwords(now: datetime) -> ExpiredRows:
    """Former passwords beyond the setting, which a change removes only of its own account."""
    former, kept = FormerPassword.objects.order_by(), settings.PASSWORD_HISTORY
    newer = former.filter(user=OuterRef("user"), pk__gt=OuterRef("pk"))
    return ExpiredRows(former, former.filter(Exists(newer[kept - 1 : kept])) if kept else former, "pk")


def _budgets(now: datetime) -> ExpiredRows:
    return ExpiredRows(AttemptBudget.objects.all(), AttemptBudget.objects.idle(now - BUDGET_KEPT, now), "pk")


def _admin_sessions(now: datetime) -> ExpiredRows:
    sessions = AdminSession.objects.filter(expire_date__lte=now)
    return ExpiredRows(sessions, sessions, "expire_date")


def _removal(find: Callable[[datetime], ExpiredRows]) -> Callable[[datetime, bool], Iterator[int]]:
    def remove(now: datetime, dry_run: bool) -> Iterator[int]:
        found = find(now)
        for window in found.windows():
            started = time.monotonic()
            yield found.expired.filter(window).count() if dry_run else _remove(found.expired.filter(window))
            time.sleep(_REST * (time.monotonic() - started))

    return remove


def _checks(now: datetime) -> ExpiredRows:
    """Verifications of the trail, which are kept as long as its rows."""
    checks = TrailCheck.objects.filter(at__lte=now - timedelta(days=settings.TRAIL_RETENTION_DAYS))
    return ExpiredRows(checks, checks, "at")


def _trail(now: datetime, dry_run: bool) -> Iterator[int]:
    removed, started = 0, time.monotonic()
    for counts in purge_trail(now, settings.TRAIL_RETENTION_DAYS, dry_run=dry_run):
        so_far = sum(counts.values())
        yield so_far - removed
        time.sleep(_REST * (time.monotonic() - started))
        removed, started = so_far, time.monotonic()
    yield from _removal(_checks)(now, dry_run)


def _former_kinds(now: datetime, dry_run: bool) -> Iterator[int]:
    """Yield how many kinds of hashes no account has any more; those that accounts have are counted anew."""
    if dry_run:
        yield FormerHashKind.objects.exclude(name__in=former_kinds.count()).count()
    else:
        yield former_kinds.refresh()


def _remove(rows: QuerySet[Any]) -> int:
    def work() -> int:
        # A row that a request has locked is in use; a later run removes it.
        unlocked = rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        keys = sorted(unlocked.values_list("pk", flat=True))
        return rows.model._default_manager.filter(pk__in=keys).delete()[0] if keys else 0

    return atomically(work)


# By name: a function of the time and of whether nothing is to be removed. It yields how many rows each batch has
# removed, or would remove.
PURGES: Final[Mapping[str, Callable[[datetime, bool], Iterator[int]]]] = {
    "trail": _trail,
    "sessions": _removal(_sessions),
    "codes": _removal(_codes),
    "messages": _removal(_messages),
    "challenges": _removal(_challenges),
    "unconfirmed_factors": _removal(_unconfirmed_factors),
    "former_passwords": _removal(_former_passwords),
    "budgets": _removal(_budgets),
    "admin_sessions": _removal(_admin_sessions),
    "hash_kinds": _former_kinds,
}


def run(*, names: Collection[str], dry_run: bool, origin: Origin) -> Generator[tuple[str, int], None, None]:
    """Remove what is expired of these entries of PURGES; yield the name and the number of rows of each batch.

    Each entry yields at least once. The trail has an event of the start and one, with the counts, of the end, unless
    `dry_run`. The caller closes the iterator, which records the counts of a run that is interrupted.
    """
    key, counts, phase = uuid.uuid4().hex, dict.fromkeys(names, 0), "broken_off"
    if not dry_run:
        _record(origin, purge=key, phase="started", counts={})
    try:
        now = timezone.now()
        for name in names:
            yield name, 0
            for removed in PURGES[name](now, dry_run):
                counts[name] += removed
                yield name, removed
        phase = "complete"
    finally:
        if not dry_run:
            _record(origin, purge=key, phase=phase, counts=counts)


def _record(origin: Origin, **detail: Any) -> None:
    with transaction.atomic():
        record(SecurityEvent.of(origin, Event.RECORDS_PURGED, user_id=None, **detail))
