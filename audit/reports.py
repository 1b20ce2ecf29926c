"""The assessor's report: what the trail and the accounts say of a period, as tables."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import second_factors, trail_checks
from audit.events import Event, FailureReason, Status
from audit.labels import EVENTS, REASONS
from audit.models import Entry, LoginAttempt, SecurityEvent
from audit.people import OFFICERS, real_name, state
from audit.replica import reading_alias
from audit.trail_checks import local_time
from audit.validity import may_log_in, outside_dates, today

# Failed, where the client could not be asked for a second factor.
_MISSING: Final = FailureReason.SECOND_FACTOR_MISSING
# A longer period takes longer than a request may.
LONGEST: Final = timedelta(days=366)
_LOCKS: Final = (
    Event.ACCOUNT_LOCKED,
    Event.CODES_LOCKED,
    Event.NAME_LOCKED,
    Event.ADDRESS_LOCKED,
    Event.ADDRESS_SUSPECTED,
    Event.USER_UNLOCKED,
    Event.NAME_UNLOCKED,
    Event.ADDRESS_UNLOCKED,
)


class InvalidPeriod(ValueError):
    """The period ends before it begins, or is longer than LONGEST."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the report."""

    title: Promise
    header: Sequence[Promise]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Report:
    """The tables of the days from `first` to `last`, both included, in the service's time zone."""

    first: date
    last: date
    made_at: datetime
    sections: Sequence[Section]


def report(first: date, last: date) -> Report:
    """Return the report of a period. Accounts, duties, retention and seal are as they are now. Raises InvalidPeriod."""
    if not timedelta(0) <= last - first < LONGEST:
        raise InvalidPeriod
    attempts, events, acts, uncompleted = _counts(first, last)
    sections = [
        _accounts(),
        _duties(),
        _second_factors(),
        _logins(attempts),
        _challenged(attempts, uncompleted),
        Section(_("Lock-outs"), [_("event"), _("number")], [[EVENTS[event], events[event]] for event in _LOCKS]),
        _acts(acts),
        _retention(),
        _seal(),
    ]
    return Report(first, last, timezone.now(), sections)


def _counts(first: date, last: date) -> tuple[Counter[str], Counter[str], Counter[tuple[int, str]], int]:
    """Return the attempts by failure reason, the events by name, the acts by actor and name, and uncompleted logins.

    A successful attempt has no reason, and one that was asked for a second factor its status in place of one.

    Each day has statements of its own: one over a year would exceed the time limit of a statement.
    """
    attempts: Counter[str] = Counter()
    events: Counter[str] = Counter()
    acts: Counter[tuple[int, str]] = Counter()
    uncompleted, source = 0, reading_alias()
    for start, end in _days(first, last):
        of_day = Q(at__gte=start, at__lt=end)
        rows = LoginAttempt.objects.using(source).filter(of_day).order_by().values_list("status", "failure_reason")
        for status, reason, times in rows.annotate(times=Sum("repeats")):
            attempts[Status.CHALLENGED if status == Status.CHALLENGED else reason] += times
        uncompleted += second_factors.uncompleted(start, end, source)
        happened = SecurityEvent.objects.using(source).filter(of_day).order_by()
        events.update(dict(happened.filter(event__in=_LOCKS).values_list("event").annotate(times=Count("pk"))))
        by_others = happened.exclude(actor=None).exclude(actor=F("user")).values_list("actor", "event")
        for actor, event, times in by_others.annotate(times=Count("pk")):
            acts[actor, event] += times
    return attempts, events, acts, uncompleted


def _days(first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _users() -> Any:
    return get_user_model()._default_manager


def _accounts() -> Section:
    active = may_log_in(today())
    counted = {
        role: counts
        for role, *counts in _users()
        .order_by()
        .values_list("role")
        .annotate(
            Count("pk"),
            active=Count("pk", filter=active),
            awaiting=Count("pk", filter=Q(is_active=True, awaits_approval=True)),
            disabled=Count("pk", filter=Q(is_active=False)),
            outside=Count("pk", filter=outside_dates(today())),
        )
    }
    roles = get_user_model()._meta.get_field("role").choices or []
    return Section(
        _("Accounts by role"),
        [_("role"), _("accounts"), _("active"), _("awaiting approval"), _("disabled"), _("outside their dates")],
        [[label, *counted.get(role, [0, 0, 0, 0, 0])] for role, label in roles],
    )


def _duties() -> Section:
    superusers = _users().filter(is_superuser=True)
    holders: list[tuple[str | Promise, Iterable[Any]]] = [(_("superusers"), superusers.order_by("pk"))]
    # The role has duties without a group: see `accounts.security.duties`.
    administrators = _users().filter(role="admin", is_superuser=False).order_by("pk")
    holders.append((_("role administrator"), administrators))
    holders += [(label, _users().filter(groups__name=name).order_by("pk")) for name, label in OFFICERS.items()]
    rows = [[duty, _described(user), state(user)] for duty, users in holders for user in users]
    return Section(_("Separation of duties"), [_("duty"), _("user"), _("state")], rows)


def _logins(attempts: Counter[str]) -> Section:
    rows: list[list[object]] = [[_("successful"), attempts[""]]]
    rows += [[REASONS[reason], attempts[reason]] for reason in FailureReason]
    return Section(_("Logins"), [_("result"), _("number")], rows)


def _second_factors() -> Section:
    header = [_("role"), _("active accounts"), _("with a second factor"), _("required")]
    return Section(_("Second factors"), header, second_factors.accounts_by_role())


def _challenged(attempts: Counter[str], uncompleted: int) -> Section:
    rows: list[list[object]] = [
        [_("right password, second factor requested"), attempts[Status.CHALLENGED]],
        [_("of these without a login afterwards"), uncompleted],
        [_("right password without a code, by a client without a field for it"), attempts[_MISSING]],
    ]
    return Section(_("Right passwords without a second factor"), [_("result"), _("number")], rows)


def _acts(acts: Counter[tuple[int, str]]) -> Section:
    users = _users().in_bulk({actor for actor, _event in acts})
    labels = {event.value: label for event, label in EVENTS.items()}
    rows = [
        [_described(users[actor]) if actor in users else f"#{actor}", labels.get(event, event), times]
        for (actor, event), times in sorted(acts.items())
    ]
    return Section(_("Acts of administrators"), [_("done by"), _("event"), _("number")], rows)


def _retention() -> Section:
    purge = SecurityEvent.objects.filter(event=Event.RECORDS_PURGED, detail__phase="complete").order_by("-id").first()
    rows: list[list[object]] = [
        [_("days that the trail is kept"), settings.TRAIL_RETENTION_DAYS],
        [_("oldest login attempt"), local_time(_oldest(LoginAttempt))],
        [_("oldest event"), local_time(_oldest(SecurityEvent))],
        [_("last complete removal of expired records"), local_time(purge.at if purge else None)],
    ]
    return Section(_("Retention"), [_("item"), _("value")], rows)


def _oldest(model: type[Entry]) -> datetime | None:
    at: datetime | None = model.objects.order_by("at").values_list("at", flat=True).first()
    return at


def _seal() -> Section:
    rows = [[check.label, local_time(check.at), check.result] for check in trail_checks.newest()]
    return Section(_("Seal of the trail"), [_("check"), _("last time"), _("result")], rows)


def _described(user: Any) -> str:
    return " · ".join(filter(None, (user.username, real_name(user))))
