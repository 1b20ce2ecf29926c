"""The list of login attempts."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.admin.filters import ContractFilter, PeriodFilter
from audit.admin.trail import TrailAdmin, find_user_id
from audit.models import LoginAttempt


@admin.register(LoginAttempt)
class LoginAttemptAdmin(TrailAdmin):
    list_display = ("when", "identifier", "who", "status", "failure_reason", "contract", "ip", "device", "repeats")
    list_filter = (PeriodFilter, "status", "failure_reason", ContractFilter)
    search_help_text = _("The beginning of the login name as typed, a user name or #id, an IP address or a request id.")
    fields = (
        "when",
        "identifier",
        "who",
        "status",
        "failure_reason",
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
        "repeats",
        "contract",
        "ip",
        "user_agent",
        "request_id",
    )
    lookups = frozenset({"user__id__exact", "status__exact", "failure_reason__exact", "ip__exact", "at__gte", "at__lt"})

    def matching(self, term: str) -> Q:
        found = Q(identifier__istartswith=term) | Q(request_id=term)
        user_id = find_user_id(term)
        return found | Q(user=user_id) if user_id else found
