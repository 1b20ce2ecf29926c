"""The numbers on the admin site's first page: each with the list that it counts, none that its viewer may not see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Session, User
from accounts.security import lockout
from accounts.services.sessions import is_active
from audit.events import Status
from audit.labels import REASONS
from audit.models import LoginAttempt
from authsvc.admin_site.charts import Chart, chart
from authsvc.admin_site.periods import counted, last_days, last_hours

ONLINE: Final = timedelta(minutes=15)
# So many rows a list on the page has; the list behind it has all.
ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: what it says, how often or since when, and where it leads."""

    label: str | Promise
    value: object
    url: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the list behind it and that list's first rows."""

    name: str
    title: str | Promise
    hint: str | Promise
    number: int
    url: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Top:
    """What was commonest among the failures that a list has."""

    name: str
    title: str | Promise
    url: str
    rows: list[Row]


def seen_by(user: User) -> dict[str, Any]:
    """Return what this user may see, for the template: `figures`, `charts` and `tops`, each perhaps empty."""
    now = timezone.now()
    figures: list[Figure] = []
    if user.has_perm("accounts.view_session"):
        figures.append(_online(now))
    if user.has_perm("accounts.view_user"):
        figures += [_locked(now), _awaiting()]
    if not user.has_perm("audit.view_loginattempt"):
        return {"figures": figures, "charts": [], "tops": []}
    return {"figures": figures, "charts": _charts(now), "tops": _tops(now)}


def attempts_url(**lookups: object) -> str:
    return _list_of("audit_loginattempt", lookups)


def _list_of(model: str, lookups: dict[str, object]) -> str:
    texts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in lookups.items()}
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(texts)}"


def _page_of(model: str, key: object) -> str:
    return reverse(f"admin:{model}_change", args=[quote(str(key))])


def _online(now: datetime) -> Figure:
    lookups: dict[str, object] = {"last_seen_at__gte": now - ONLINE}
    sessions = Session.objects.filter(is_active(now), **lookups)
    newest = sessions.select_related("user").order_by("-created_at")[:ROWS]
    rows = [
        Row(session.user.username, session.created_at, _page_of("accounts_session", session.pk)) for session in newest
    ]
    return Figure(
        "online",
        _("Online now"),
        _("Sessions active in the last 15 minutes, by login time"),
        sessions.count(),
        _list_of("accounts_session", lookups),
        rows,
    )


def _locked(now: datetime) -> Figure:
    people = User.objects.filter(lockout.is_locked(now))
    return Figure(
        "locked",
        _("Locked now"),
        _("Accounts with too many failed logins"),
        people.count(),
        _list_of("accounts_user", {"state": "locked"}),
        _people(people.order_by("pk")[:ROWS]),
    )


def _awaiting() -> Figure:
    people = User.objects.filter(is_active=True, awaits_approval=True)
    return Figure(
        "awaiting",
        _("Awaiting approval"),
        _("By registration time, the oldest first"),
        people.count(),
        _list_of("accounts_user", {"state": "awaiting"}),
        _people(people.order_by("created_at")[:ROWS]),
    )


def _people(users: Iterable[User]) -> list[Row]:
    return [Row(user.username, user.get_role_display(), _page_of("accounts_user", user.pk)) for user in users]


def _charts(now: datetime) -> list[Chart]:
    hours, days = last_hours(now), last_days(now)
    return [
        chart("hours", _("Logins of the last 24 hours"), counted(hours), "H:i", attempts_url),
        chart("days", _("Logins of the last 14 days"), counted(days), "m-d", attempts_url),
    ]


def _tops(now: datetime) -> list[Top]:
    since = last_hours(now).starts[0]
    failures: dict[str, object] = {"at__gte": since, "status__exact": Status.FAILED}
    failed = LoginAttempt.objects.filter(**failures)
    reasons = [
        Row(_reason(value), times, attempts_url(**failures, failure_reason__exact=value))
        for value, times in _most(failed, "failure_reason")
    ]
    addresses = [
        Row(value, times, attempts_url(**failures, ip__exact=value))
        for value, times in _most(failed.exclude(ip=None), "ip")
    ]
    url = attempts_url(**failures)
    return [
        Top("reasons", _("Why logins failed in the last 24 hours"), url, reasons),
        Top("addresses", _("IP addresses of failed logins"), url, addresses),
    ]


def _reason(value: str) -> str | Promise:
    return {reason.value: words for reason, words in REASONS.items()}.get(value, value)


def _most(attempts: QuerySet[Any], column: str) -> Iterable[tuple[str, int]]:
    """Return the commonest values of a column, each with how many attempts it stands for."""
    most: QuerySet[Any] = attempts.values_list(column).annotate(times=Sum("repeats")).order_by("-times", column)
    return most[:ROWS]
