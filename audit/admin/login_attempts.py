"""The list of login attempts."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.admin.active_filters import parse_time
from audit.admin.filters import ContractFilter, PeriodFilter
from audit.admin.report_page import report_page
from audit.admin.trail import TrailAdmin, TrailChangeList
from audit.labels import FACTORS
from audit.models import LoginAttempt

_COUNTED: Final = timedelta(days=15)


class AttemptChangeList(TrailChangeList):
    """A list that also says how many attempts its rows stand for: while a key is locked, one row stands for many."""

    @property
    def times(self) -> int | None:
        """The number of attempts, or None where the list is too long to add them up."""
        if self.paginator.is_capped and not self._is_recent():
            return None
        return int(self.queryset.order_by().aggregate(times=Sum("repeats"))["times"] or 0)

    def _is_recent(self) -> bool:
        """Return whether the list is of days that the first page has counted too."""
        since = parse_time(self.params.get("at__gte", ""))
        return since is not None and since > timezone.now() - _COUNTED


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
        "factor_in_words",
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
        return self.factor_in_words(attempt) or "-"

    @admin.display(description=_("second factor"))
    def factor_in_words(self, attempt: LoginAttempt) -> str | Promise:
        return FACTORS.get(attempt.factor, attempt.factor)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AttemptChangeList]:
        return AttemptChangeList

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(report_page, self))
        return [path("report/", view, name="audit_report"), *super().get_urls()]
