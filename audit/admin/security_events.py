"""The list of security events."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin.cells import in_lines
from audit.admin.filters import ContractFilter, PeriodFilter
from audit.admin.trail import TrailAdmin, format_detail
from audit.models import SecurityEvent
from audit.sentences import sentences, title


@admin.register(SecurityEvent)
class SecurityEventAdmin(TrailAdmin):
    list_display = ("when", "what", "who", "by", "told", "contract", "ip")
    list_filter = (PeriodFilter, "event", ContractFilter)
    search_help_text = _(
        "A user name or #id, a part of a full name, or a phone number of the account or the actor; an IP address or a"
        " request id."
    )
    fields = (
        "when",
        "what",
        "event_name",
        "who",
        "by",
        "formatted_detail",
        "contract",
        "ip",
        "device",
        "user_agent",
        "request_id",
    )
    columns = (
        "at",
        "what",
        "event_name",
        "user",
        "actor",
        "in_words",
        "stored",
        "contract",
        "ip",
        "user_agent",
        "request_id",
    )
    term_lookups = ("request_id",)
    people_columns = ("user", "actor")
    lookups = frozenset({"user__id__exact", "actor__id__exact", "event__exact"})

    @admin.display(description=_("event"))
    def what(self, event: SecurityEvent) -> str:
        return title(event)

    @admin.display(description=_("detail"))
    def told(self, event: SecurityEvent) -> SafeString | str:
        return in_lines(sentences(event, with_keys=False)) or "-"

    @admin.display(description=_("detail"))
    def in_words(self, event: SecurityEvent) -> str:
        return "\n".join(sentences(event, with_keys=False))

    @admin.display(description=_("As stored"))
    def stored(self, event: SecurityEvent) -> str:
        return format_detail(event.detail, indent=None)

    @admin.display(description=_("event code"))
    def event_name(self, event: SecurityEvent) -> str:
        return event.event

    @admin.display(description=_("done by"))
    def by(self, event: SecurityEvent) -> str:
        return self._name(event, event.actor, event.actor_id)

    @admin.display(description=_("detail"))
    def formatted_detail(self, event: SecurityEvent) -> SafeString:
        return format_html(
            "{}<details><summary>{}</summary><pre>{}</pre></details>",
            in_lines(sentences(event)),
            _("As stored"),
            format_detail(event.detail, indent=2),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("actor").prefetch_related("actor__groups")
