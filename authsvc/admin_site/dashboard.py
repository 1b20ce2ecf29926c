"""The dashboard on the admin site's index: figures, charts and rankings, each only with the permission for its list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.utils import quote
from django.db.models import Max, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from accounts.messaging.heartbeat import delivery_status
from accounts.models import Session, User
from accounts.policies import ONLINE, WARNED_BEFORE
from accounts.security.enrolled_accounts import is_staff_without_factor
from accounts.security.locked_accounts import is_locked, locked_until
from accounts.security.suspicion import suspected
from accounts.services import dormancy
from accounts.services.sessions import is_active
from audit import trail_checks
from audit.events import Status
from audit.labels import REASONS
from audit.models import LoginAttempt
from audit.validity import ends_within, today
from authsvc.admin_site.charts import Chart, chart
from authsvc.admin_site.periods import counted, last_days, last_hours

# The number of rows shown on the dashboard; the linked list has all.
ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list: its label, a count or a time, and a link."""

    label: str | Promise
    value: object
    url: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, or another finding, with a link to what it stands for, and the first rows of that."""

    name: str
    title: str | Promise
    hint: str | Promise
    number: int | str | Promise
    url: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The most common values among failed logins."""

    name: str
    title: str | Promise
    url: str
    rows: list[Row]


def context_for(user: User) -> dict[str, Any]:
    """Return the template context that this user may see: `figures`, `charts` and `tops`, each possibly empty."""
    now = timezone.now()
    figures: list[Figure] = []
    if user.has_perms(("accounts.view_session", "accounts.view_user")):
        figures.append(_online(now))
    if user.has_perm("accounts.view_user"):
        figures += [_locked(now), _suspected(now), _awaiting(now), _ending(), *_dormant(), _without_factor()]
    if user.has_perm("audit.view_securityevent"):
        figures.append(_seal())
    if user.has_perm("accounts.view_message"):
        figures.append(_waiting(now))
    if not user.has_perm("audit.view_loginattempt"):
        return {"figures": figures, "charts": [], "tops": []}
    return {"figures": figures, "charts": _charts(now), "tops": _rankings(now)}


def attempts_url(**lookups: object) -> str:
    return _changelist_url("audit_loginattempt", lookups)


def _changelist_url(model: str, lookups: dict[str, object]) -> str:
    texts = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in lookups.items()}
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(texts)}"


def _change_url(model: str, key: object) -> str:
    return reverse(f"admin:{model}_change", args=[quote(str(key))])


def _online(now: datetime) -> Figure:
    sessions = Session.objects.filter(is_active(now), last_seen_at__gte=now - ONLINE).order_by()
    people = sessions.values("user").annotate(since=Max("created_at"))
    newest = {row["user"]: row["since"] for row in people.order_by("-since", "-user")[:ROWS]}
    users = User.objects.in_bulk(newest)
    rows = [Row(_name(users[key]), _time(since), _change_url("accounts_user", key)) for key, since in newest.items()]
    return Figure(
        "online",
        _("Online now"),
        _("People with a session active in the last 15 minutes, and when they logged in"),
        people.count(),
        _changelist_url("accounts_user", {"online": "yes"}),
        rows,
    )


def _locked(now: datetime) -> Figure:
    users = User.objects.filter(is_locked(now))
    return Figure(
        "locked",
        _("Locked accounts"),
        _("Accounts with too many failed logins"),
        users.count(),
        _changelist_url("accounts_user", {"state": "locked"}),
        [
            Row(_name(user), _time(user.__dict__["until"]), _change_url("accounts_user", user.pk))
            for user in users.annotate(until=locked_until(now)).order_by("pk")[:ROWS]
        ],
    )


def _suspected(now: datetime) -> Figure:
    addresses = suspected(now)
    url = _changelist_url("accounts_attemptbudget", {"subject": "suspected"})
    return Figure(
        "suspected",
        _("Suspicious addresses"),
        _("IP addresses that locked several of their usual accounts, and until when each is suspicious"),
        addresses.count(),
        url,
        [Row(row.address, _time(row.locked_until), url) for row in addresses.order_by("-locked_until")[:ROWS]],
    )


def _seal() -> Figure:
    """Return what the newest verification of the trail has found, and when it was verified and anchored last."""
    checks, url = trail_checks.newest(), reverse("admin:audit_report")
    return Figure(
        "seal",
        _("Seal of the trail"),
        _("Result of the last verification"),
        checks[0].result,
        url,
        [Row(check.label, trail_checks.local_time(check.at), url) for check in checks],
    )


def _awaiting(now: datetime) -> Figure:
    users = User.objects.filter(is_active=True, awaits_approval=True)
    return Figure(
        "awaiting",
        _("Awaiting approval"),
        _("People who have registered, and for how long they have waited"),
        users.count(),
        _changelist_url("accounts_user", {"state": "awaiting"}),
        [
            Row(_name(user), timesince(user.created_at, now, depth=1), _change_url("accounts_user", user.pk))
            for user in users.order_by("created_at")[:ROWS]
        ],
    )


def _ending() -> Figure:
    users = User.objects.filter(ends_within(today(), WARNED_BEFORE))
    rows = [
        Row(_name(user), f"{user.valid_until:%Y-%m-%d}", _change_url("accounts_user", user.pk))
        for user in users.order_by("valid_until", "pk")[:ROWS]
    ]
    return Figure(
        "ending",
        _("Expiring soon"),
        _("Accounts whose last day is within 14 days"),
        users.count(),
        _changelist_url("accounts_user", {"validity": "soon"}),
        rows,
    )


def _dormant() -> list[Figure]:
    """Return the accounts that will be disabled as dormant, where the deployment disables such accounts."""
    if settings.DORMANT_AFTER is None:
        return []
    users = dormancy.warned()
    return [
        Figure(
            "dormant",
            _("Dormant soon"),
            _("Accounts that are disabled within 14 days unless their users log in"),
            users.count(),
            _changelist_url("accounts_user", {"validity": "dormant"}),
            _user_rows(users[:ROWS]),
        )
    ]


def _waiting(now: datetime) -> Figure:
    status = delivery_status(now)
    url = _changelist_url("accounts_message", {"waiting": "yes"})
    row = Row(_("Delivery runs"), "", url)
    if status.unseen_for is None:
        row = Row(_("Delivery has never run"), "", url)
    elif not status.is_running:
        row = Row(_("Delivery does not run, since"), timesince(now - status.unseen_for, now), url)
    return Figure(
        "waiting",
        _("Messages waiting"),
        _("Codes and notices that wait for delivery (manage.py deliver)"),
        status.pending,
        url,
        [row],
    )


def _without_factor() -> Figure:
    users = User.objects.filter(is_staff_without_factor())
    return Figure(
        "without-factor",
        _("Without second factor"),
        _("People of the admin site who have set up none"),
        users.count(),
        _changelist_url("accounts_user", {"second_factor": "staff"}),
        _user_rows(users.order_by("pk")[:ROWS]),
    )


def _user_rows(users: Iterable[User]) -> list[Row]:
    return [Row(_name(user), user.get_role_display(), _change_url("accounts_user", user.pk)) for user in users]


def _time(at: datetime | None) -> str:
    """Return a time of today as hours and minutes, any other with its day."""
    if at is None:
        return "-"
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local:%m-%d %H:%M}"


def _name(user: User) -> str:
    return " ".join(filter(None, (user.username, user.full_name)))


def _charts(now: datetime) -> list[Chart]:
    hours, days = last_hours(now), last_days(now)
    return [
        chart("hours", _("Logins of the last 24 hours"), counted(hours), "H:i", attempts_url, shows_end=True),
        chart("days", _("Logins of the last 14 days"), counted(days), "m-d", attempts_url),
    ]


def _rankings(now: datetime) -> list[Ranking]:
    since = last_hours(now).starts[0]
    failures: dict[str, object] = {"at__gte": since, "status__exact": Status.FAILED}
    failed = LoginAttempt.objects.filter(**failures)
    reasons = [
        Row(_reason(value), times, attempts_url(**failures, failure_reason__exact=value))
        for value, times in _most_common(failed, "failure_reason")
    ]
    addresses = [
        Row(value, times, attempts_url(**failures, ip__exact=value))
        for value, times in _most_common(failed.exclude(ip=None), "ip")
    ]
    url = attempts_url(**failures)
    return [
        Ranking("reasons", _("Why logins failed in the last 24 hours"), url, reasons),
        Ranking("addresses", _("IP addresses of failed logins in the last 24 hours"), url, addresses),
    ]


def _reason(value: str) -> str | Promise:
    return {reason.value: label for reason, label in REASONS.items()}.get(value, value)


def _most_common(attempts: QuerySet[Any], column: str) -> Iterable[tuple[str, int]]:
    """Return the most common values of a column, each with its number of attempts."""
    ranked: QuerySet[Any] = attempts.values_list(column).annotate(times=Sum("repeats")).order_by("-times", column)
    return ranked[:ROWS]
