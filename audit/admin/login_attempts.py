"""The list of login attempts."""

from functools import partial

from django.contrib import admin
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.admin.filters import ContractFilter, PeriodFilter
from audit.admin.report_page import report_page
from audit.admin.trail import TrailAdmin
from audit.labels import FACTORS
from audit.models import LoginAttempt


@admin.register(LoginAttempt)
class LoginAttemptAdmin(TrailAdmin):
    list_display = (
        "when",
        "identifier",
        "who",
        "status",
        "failure_reason",
        "factor_used",
        "contract",
        "ip",
        "device",
        "repeats",
    )
    list_filter = (PeriodFilter, "status", "failure_reason", ContractFilter)
    search_help_text = _(
        "The beginning of the login name as typed, a user name or #id, a part of a full name, a phone number, an IP"
        " address or a request id."
    )
    fields = (
        "when",
        "identifier",
        "who",
        "status",
        "failure_reason",
        "factor_used",
        "repeats",
        "contract",
        "ip",
        "device",
        "user_agent",
        "request_id",
    )
    columns = (
        "at",
        "identifier",
        "user",
        "status",
        "failure_reason",
        "factor",
        "repeats",
        "contract",
        "ip",
        "user_agent",
        "request_id",
    )
    term_lookups = ("identifier__istartswith", "request_id")
    people_columns = ("user",)
    lookups = frozenset({"user__id__exact", "status__exact", "failure_reason__exact", "ip__exact", "at__gte", "at__lt"})

    @admin.display(description=_("second factor"))
    def factor_used(self, attempt: LoginAttempt) -> str | Promise:
        return FACTORS.get(attempt.factor, attempt.factor) or "-"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(report_page, self))
        return [path("report/", view, name="audit_report"), *super().get_urls()]
