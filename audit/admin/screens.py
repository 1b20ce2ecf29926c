"""The lists of attempts and events, and what each row holds."""

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import lists
from audit.admin.export import Export
from audit.admin.sheets import Row, chunks
from audit.events import Event
from audit.models import Entry, LoginAttempt, SecurityEvent
from audit.origin import escape_control_chars
from audit.user_agents import device

# No database has longer numbers.
_NUMBER = re.compile(r"#([0-9]{1,18})")


class TrailAdmin(lists.SafeLookupAdmin):
    change_list_template = "admin/audit/change_list.html"
    paginator = lists.CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    sortable_by = ()
    # It has a search, which looks in the columns that have an index.
    search_fields = ("pk",)
    columns: ClassVar[tuple[str, ...]]
    lookups: ClassVar[frozenset[str]]

    @admin.display(description=_("at"))
    def when(self, entry: Entry) -> str:
        return date_format(timezone.localtime(entry.at), "Y-m-d H:i:s")

    @admin.display(description=_("user"))
    def who(self, entry: Entry) -> str:
        return self._name(entry, entry.user, entry.user_id)

    @admin.display(description=_("device"))
    def device(self, entry: Entry) -> str:
        return device(entry.user_agent) or "-"

    @staticmethod
    def _name(entry: Entry, user: object | None, user_id: int | None) -> str:
        """Return the user's name, or the number that is left of a user who was deleted."""
        if user is None:
            return f"#{user_id}" if user_id else "-"
        if not entry.__dict__["linked"]:
            return str(user)
        options = get_user_model()._meta
        page = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[user_id])
        return format_html('<a href="{}">{}</a>', page, user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        options = get_user_model()._meta
        linked = request.user.has_perm(f"{options.app_label}.view_{options.model_name}")
        # The join also answers for users who are gone: without it, reading one would fail.
        rows: QuerySet[Any] = super().get_queryset(request).select_related("user")
        with_link: QuerySet[Any] = rows.annotate(linked=Value(linked))
        return with_link

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[lists.NewestFirst]:
        return lists.NewestFirst

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Any other would look through all rows, or into a user's secrets.
        return lookup in {*self.lookups, lists.PERIOD, lists.ContractFilter.parameter_name}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = escape_control_chars(search_term.strip())
        if not term:
            return queryset, False
        address = lists.as_address(term)
        return queryset.filter(Q(ip=address) if address else self.matching(term)), False

    def matching(self, term: str) -> Q:
        """Return the rows that a search which is for no network address finds."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export), name=name), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """Return the rows that the list is filtered to, all of them, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        the_list = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if request.method != "POST":
            # Whoever had to log in again, or changed the language, comes here by a link.
            return HttpResponseRedirect(the_list)
        try:
            rows = self.get_changelist_instance(request).queryset
        except admin.options.IncorrectLookupParameters:
            return HttpResponseRedirect(f"{the_list}?e=1")
        header = ["id", *(str(label_for_field(name, self.model)) for name in self.columns)]
        parts = ([self._cells(entry) for entry in part] for part in chunks(rows, lists.order(request)))
        return Export.of(request, Event.TRAIL_EXPORTED).csv(header, parts)  # type: ignore[return-value]

    def _cells(self, entry: Entry) -> Row:
        return list(self._values(entry))

    def _values(self, entry: Entry) -> Iterator[object]:
        yield entry.pk
        for name in self.columns:
            value = getattr(entry, name if name not in {"user", "actor"} else f"{name}_id")
            if name == "at":
                yield timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
            elif name in {"user", "actor"}:
                yield str(getattr(entry, name) or (f"#{value}" if value else ""))
            elif name == "detail":
                yield _readable(value, indent=None)
            else:
                yield value

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _readable(detail: object, indent: int | None) -> str:
    return json.dumps(detail, ensure_ascii=False, indent=indent)


def _user_id(term: str) -> int | None:
    """Return the number of the user whom a search is for, by name or as `#12`."""
    if match := _NUMBER.fullmatch(term):
        return int(match[1])
    try:
        return int(get_user_model()._default_manager.get_by_natural_key(term).pk)
    except ObjectDoesNotExist:
        return None


@admin.register(LoginAttempt)
class LoginAttemptAdmin(TrailAdmin):
    list_display = ("when", "identifier", "who", "status", "failure_reason", "contract", "ip", "device", "repeats")
    list_filter = (lists.PeriodFilter, "status", "failure_reason", lists.ContractFilter)
    search_help_text = _("What was typed, from its beginning; a user's name or #number; a network address; a request.")
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
        user_id = _user_id(term)
        return found | Q(user=user_id) if user_id else found


@admin.register(SecurityEvent)
class SecurityEventAdmin(TrailAdmin):
    list_display = ("when", "what", "event_name", "who", "by", "contract", "ip", "device")
    list_filter = (lists.PeriodFilter, "event", lists.ContractFilter)
    search_help_text = _(
        "A user's name or #number, as the one concerned or the one who did it; a network address; a request."
    )
    fields = (
        "when",
        "what",
        "event_name",
        "who",
        "by",
        "particulars",
        "contract",
        "ip",
        "device",
        "user_agent",
        "request_id",
    )
    columns = ("at", "event", "user", "actor", "detail", "contract", "ip", "user_agent", "request_id")
    lookups = frozenset({"user__id__exact", "actor__id__exact", "event__exact"})

    @admin.display(description=_("what happened"))
    def what(self, event: SecurityEvent) -> str:
        return event.get_event_display()

    @admin.display(description=_("event"))
    def event_name(self, event: SecurityEvent) -> str:
        return event.event

    @admin.display(description=_("done by"))
    def by(self, event: SecurityEvent) -> str:
        return self._name(event, event.actor, event.actor_id)

    @admin.display(description=_("detail"))
    def particulars(self, event: SecurityEvent) -> SafeString:
        return format_html("<pre>{}</pre>", _readable(event.detail, indent=2))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("actor")

    def matching(self, term: str) -> Q:
        user_id = _user_id(term)
        found = Q(request_id=term)
        return found | Q(user=user_id) | Q(actor=user_id) if user_id else found
