"""The tables below a user's form: active sessions, and the newest entries of the trail."""

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.admin.common import address_cell, device_cell
from accounts.admin.confirmed_actions import USER_PAGE
from accounts.models import User
from accounts.services import sessions
from audit.admin.cells import in_lines, to_the_minute
from audit.models import LoginAttempt, SecurityEvent
from audit.sentences import sentences, title
from audit.user_agents import device

_MAX_ROWS: Final = 20


def tables(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """Return the tables that the reader has permission for, each with the URL of its full list."""
    tables_by_permission = [
        ("accounts.view_session", _sessions),
        ("audit.view_loginattempt", _attempts),
        ("audit.view_securityevent", _events),
    ]
    found = [build(user) for permission, build in tables_by_permission if request.user.has_perm(permission)]
    may_end = request.user.has_perm("accounts.end_session") and (not user.is_superuser or request.user.is_superuser)
    return [table if may_end else {**table, "action": None} for table in found]


def history_url(request: HttpRequest, user: User) -> str | None:
    """Return the URL of the trail's events about a user, for those who may read the trail."""
    return _events_url(user) if request.user.has_perm("audit.view_securityevent") else None


def _events_url(user: User) -> str:
    return f"{reverse('admin:audit_securityevent_changelist')}?user__id__exact={user.pk}"


def _sessions(user: User) -> dict[str, Any]:
    rows = sessions.active(user=user).order_by("-created_at")[:_MAX_ROWS]
    return {
        "title": _("Active sessions"),
        "url": f"{reverse('admin:accounts_session_changelist')}?state=all&user__id__exact={user.pk}",
        "header": [_("since"), _("last seen"), _("contract"), _("IP address"), _("device")],
        "action": {
            "url": reverse("admin:accounts_session_confirmed_action", args=["end"]),
            "label": _("Force logout"),
            "page": USER_PAGE,
        },
        "rows": [
            (
                row.pk,
                [
                    to_the_minute(row.created_at),
                    to_the_minute(row.last_seen_at),
                    row.get_contract_display(),
                    address_cell(row),
                    device_cell(row),
                ],
            )
            for row in rows
        ],
    }


def _attempts(user: User) -> dict[str, Any]:
    rows = LoginAttempt.objects.filter(user=user.pk)[:_MAX_ROWS]
    return {
        "title": _("Latest login attempts"),
        "url": f"{reverse('admin:audit_loginattempt_changelist')}?user__id__exact={user.pk}",
        "header": [_("at"), _("status"), _("failure reason"), _("contract"), _("IP address"), _("device")],
        "rows": [
            (
                row.pk,
                [
                    to_the_minute(row.at),
                    row.get_status_display(),
                    row.get_failure_reason_display(),
                    row.get_contract_display(),
                    row.ip,
                    device(row.user_agent),
                ],
            )
            for row in rows
        ],
    }


def _events(user: User) -> dict[str, Any]:
    rows = SecurityEvent.objects.filter(user=user.pk).select_related("actor")[:_MAX_ROWS]
    return {
        "title": _("Latest security events"),
        "url": _events_url(user),
        "header": [_("at"), _("event"), _("detail"), _("done by"), _("contract"), _("IP address")],
        "rows": [
            (
                row.pk,
                [
                    to_the_minute(row.at),
                    title(row),
                    in_lines(sentences(row, with_keys=False)),
                    row.actor or (f"#{row.actor_id}" if row.actor_id else ""),
                    row.get_contract_display(),
                    row.ip,
                ],
            )
            for row in rows
        ],
    }
