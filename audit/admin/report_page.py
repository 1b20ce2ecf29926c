"""The assessor's report as a page of the admin site, made to be printed."""

from datetime import date, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.reports import report

_DEFAULT_DAYS = 30
_PERMISSIONS = ("audit.view_loginattempt", "audit.view_securityevent")


def report_page(model_admin: ModelAdmin, request: HttpRequest) -> TemplateResponse:
    """Return the report of the days `from` to `to` of the query, by default of the last 30 days."""
    if not request.user.has_perms(_PERMISSIONS):
        raise PermissionDenied
    today = timezone.localdate()
    invalid = False
    try:
        made = report(_day(request, "from", today - timedelta(days=_DEFAULT_DAYS - 1)), _day(request, "to", today))
    except (ValueError, OverflowError):
        made, invalid = report(today - timedelta(days=_DEFAULT_DAYS - 1), today), True
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Report for assessors"),
        "report": made,
        "invalid": invalid,
    }
    return TemplateResponse(request, "admin/audit/report.html", context)


def _day(request: HttpRequest, name: str, default: date) -> date:
    text = request.GET.get(name)
    return date.fromisoformat(text) if text else default
