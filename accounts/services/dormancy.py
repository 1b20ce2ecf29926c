"""Accounts without a login for DORMANT_AFTER: administrators are warned, and the accounts are disabled later.

An account counts from its last login, its creation, its first day or the decision that last let its user log in,
whichever is the latest. It is disabled only after its warning has stood for WARNED_BEFORE, also where the setting is
new. Superusers, the last active administrator, and accounts that await approval or are past their last day stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.errors import LastAdministrator, NotFound
from accounts.models import EndReason, Kind, User
from accounts.policies import WARNED_BEFORE
from accounts.services import notices, permissions, sessions, user_events
from accounts.transactions import atomically
from audit.events import Event
from audit.origin import Origin
from audit.record import record
from audit.validity import has_begun, may_log_in, today

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DormancyRun:
    """How many accounts a run has found to be warned of, and how many it has disabled."""

    warned: int
    disabled: int


def run(*, dry_run: bool, origin: Origin) -> DormancyRun:
    """Warn of accounts that will be dormant, and disable those whose warning has stood; each commits by itself.

    Without the setting, nothing happens. May be interrupted and repeated.
    """
    after: timedelta | None = settings.DORMANT_AFTER
    if after is None:
        return DormancyRun(0, 0)
    now = timezone.now()
    due, expected = _due(now, after), _expected(now, after)
    if dry_run:
        return DormancyRun(expected.count(), due.count())
    disabled = sum(_disable(pk, now, after, origin) for pk in _ids(due))
    return DormancyRun(_warn(expected, now, origin), disabled)


def warned() -> QuerySet[User]:
    """Return the accounts that will be disabled unless their users log in, those first that were warned of first."""
    after: timedelta | None = settings.DORMANT_AFTER
    if after is None:
        nobody: QuerySet[User] = User.objects.none()
        return nobody
    unused = _unused_since(timezone.now() - after + WARNED_BEFORE)
    users: QuerySet[User] = unused.filter(_warning_stands()).order_by("dormancy_warned_at", "pk")
    return users


def _unused_since(since: datetime) -> QuerySet[User]:
    """Return the accounts that may log in, and were neither used nor created nor enabled after this time."""
    unused = (Q(last_login=None) | Q(last_login__lte=since)) & (Q(activated_at=None) | Q(activated_at__lte=since))
    begun = has_begun(timezone.localdate(since, settings.ZONE))
    users: QuerySet[User] = User.objects.filter(unused, begun, created_at__lte=since)
    return users.filter(may_log_in(today()), is_superuser=False)


def _warning_stands() -> Q:
    """Return the condition of accounts of which a warning was given that nothing has made void since."""
    login = Q(last_login=None) | Q(dormancy_warned_at__gte=F("last_login"))
    activation = Q(activated_at=None) | Q(dormancy_warned_at__gte=F("activated_at"))
    return Q(dormancy_warned_at__isnull=False) & login & activation


def _due(now: datetime, after: timedelta) -> QuerySet[User]:
    unused = _unused_since(now - after)
    return unused.filter(_warning_stands(), dormancy_warned_at__lte=now - WARNED_BEFORE)


def _expected(now: datetime, after: timedelta) -> QuerySet[User]:
    # A condition that a NULL makes unknown is not excluded by `exclude`: the absence of a warning has its own term.
    unused = _unused_since(now - after + WARNED_BEFORE)
    outdated = Q(dormancy_warned_at__lt=F("last_login")) | Q(dormancy_warned_at__lt=F("activated_at"))
    return unused.filter(Q(dormancy_warned_at=None) | outdated)


def _ids(users: QuerySet[User]) -> Iterator[int]:
    last = 0
    while part := list(users.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        yield from part
        last = part[-1]


def _disable(pk: int, now: datetime, after: timedelta, origin: Origin) -> bool:
    user = User(pk=pk)

    def work() -> bool:
        account = permissions.lock_for_change(user, ["is_active"])
        # Its user may have logged in since the look.
        dormant = _due(now, after).filter(pk=pk).first()
        if dormant is None:
            return False
        permissions.require_allowed(actor=None, user=dormant, stored=account, changes={"is_active": False})
        dormant.is_active = False
        dormant.save(update_fields=["is_active", "updated_at"])
        sessions.mark_ended(dormant, EndReason.CREDENTIAL_CHANGED)
        record(user_events.event(origin, Event.USER_DEACTIVATED, dormant, None, cause="dormant"))
        return True

    try:
        return atomically(work)
    except (LastAdministrator, NotFound):
        return False


def _warn(expected: QuerySet[User], now: datetime, origin: Origin) -> int:
    """Store the warning of each account, and tell administrators how many there are; return how many."""
    ids = list(_ids(expected))
    values = {"count": str(len(ids)), "days": str(WARNED_BEFORE.days)}

    def work() -> None:
        for start in range(0, len(ids), _AT_ONCE):
            part = sorted(ids[start : start + _AT_ONCE])
            User.objects.filter(pk__in=part).update(dormancy_warned_at=now)
        for administrator in User.objects.active_administrators().order_by("pk"):
            notices.notify_at_proved(user=administrator, kind=Kind.DORMANT_ACCOUNTS, origin=origin, **values)

    if ids:
        atomically(work)
    return len(ids)
