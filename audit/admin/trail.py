"""The read-only ModelAdmin that login attempts and security events share."""

import json
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import label_for_field
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from audit.admin.cells import person
from audit.admin.changelist import (
    PERIOD_PARAMETER,
    CappedPaginator,
    NewestFirstChangeList,
    SafeLookupAdmin,
    ordering_of,
    parse_ip,
    unfiltered,
)
from audit.admin.export import Export
from audit.admin.filters import ContractFilter
from audit.admin.search_terms import MAX_PEOPLE, find_user_ids
from audit.admin.spreadsheet import Row, chunks, spreadsheet_time, with_zone
from audit.events import Event
from audit.models import Entry
from audit.origin import escape_control_chars
from audit.replica import on_replica
from audit.user_agents import device


class TrailChangeList(NewestFirstChangeList):
    """A list, and what is exported of it. The page of one row is read from the primary: a replica may lack it yet."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return on_replica(super().get_queryset(request, exclude_parameters))


class TrailAdmin(SafeLookupAdmin):
    """A list that nobody edits, with a search by indexed columns and an export as CSV.

    `columns` are exported; `lookups` are the indexed filters that a query string may use.
    """

    change_list_template = "admin/audit/change_list.html"
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    sortable_by = ()
    # Django shows the search form only where this is not empty; get_search_results() does the search.
    search_fields = ("pk",)
    columns: ClassVar[tuple[str, ...]]
    # What a search compares: its text with these columns, and the people whom it names with these.
    term_lookups: ClassVar[tuple[str, ...]]
    people_columns: ClassVar[tuple[str, ...]]
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
        """Return the user's names, linked where the reader may view users, or the id of a deleted user."""
        if user is None:
            return f"#{user_id}" if user_id else "-"
        if not entry.__dict__["linked"]:
            return person(user, user)
        options = get_user_model()._meta
        page = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[user_id])
        return person(format_html('<a href="{}">{}</a>', page, user), user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        options = get_user_model()._meta
        linked = request.user.has_perm(f"{options.app_label}.view_{options.model_name}")
        # The join also yields deleted users as None: without it, access to one would fail.
        rows: QuerySet[Any] = super().get_queryset(request).select_related("user").prefetch_related("user__groups")
        with_link: QuerySet[Any] = rows.annotate(linked=Value(linked))
        return with_link

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TrailChangeList]:
        return TrailChangeList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Any other lookup would scan all rows or read a user's secrets.
        return lookup in {*self.lookups, PERIOD_PARAMETER, ContractFilter.parameter_name}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = escape_control_chars(search_term.strip())
        if not term:
            return queryset, False
        if address := parse_ip(term):
            return queryset.filter(ip=address), False
        people = find_user_ids(term)
        if len(people) > MAX_PEOPLE:
            text = _("More than %d people have such a name; only rows of the first of them are listed.")
            self.message_user(request, text % MAX_PEOPLE, messages.WARNING)
        return queryset.filter(self._matching(term, people[:MAX_PEOPLE])), False

    def _matching(self, term: str, people: list[int]) -> Q:
        """Return the filter of a search for anything but an IP address; `people` are the users whom it names."""
        found = reduce(or_, (Q(**{lookup: term}) for lookup in self.term_lookups))
        if not people:
            return found
        return reduce(or_, (Q(**{f"{column}__in": people}) for column in self.people_columns), found)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export), name=name), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponse:
        """Return all rows of the filtered list as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        changelist_url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if request.method != "POST":
            # A new login and a change of language redirect to this URL by GET.
            return HttpResponseRedirect(changelist_url)
        try:
            rows = self.get_changelist_instance(request).queryset
        except admin.options.IncorrectLookupParameters as error:
            return unfiltered(request, changelist_url, error)
        header = ["id", *(self._column_name(name) for name in self.columns)]
        # The rows are read after the response has begun, when no language need be active any more.
        language = translation.get_language()
        parts = (self._rows(part, language) for part in chunks(rows, ordering_of(request)))
        return Export.of(request, Event.TRAIL_EXPORTED).csv(header, parts)  # type: ignore[return-value]

    def _column_name(self, name: str) -> str:
        label = str(label_for_field(name, self.model, self))
        return with_zone(label) if name == "at" else label

    def _rows(self, entries: Iterable[Entry], language: str | None) -> list[Row]:
        with translation.override(language):
            return [[entry.pk, *(self._value(entry, name) for name in self.columns)] for entry in entries]

    def _value(self, entry: Entry, name: str) -> object:
        """Return a cell of the export: a time as spreadsheets read it, and the words for a name that is stored."""
        if name == "at":
            return spreadsheet_time(entry.at)
        if name in {"user", "actor"}:
            key = getattr(entry, f"{name}_id")
            return str(getattr(entry, name) or (f"#{key}" if key else ""))
        if hasattr(self, name):
            return getattr(self, name)(entry)
        in_words = getattr(entry, f"get_{name}_display", None)
        return in_words() if in_words else getattr(entry, name)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def format_detail(detail: object, indent: int | None) -> str:
    return json.dumps(detail, ensure_ascii=False, indent=indent)
