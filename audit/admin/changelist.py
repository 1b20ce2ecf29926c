"""Changelists of tables with many millions of rows: capped counts, one indexed order, and lookups that cannot crash."""

import ipaddress
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.paginator import Paginator
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.admin.active_filters import active_filters

MAX_LISTED: Final = 10_000
PERIOD_PARAMETER: Final = "when"
# The attribute of a request that has what is wrong with its query, from the list to its view.
_LOOKUP_ERROR: Final = "_lookup_error"


class InvalidChoice(IncorrectLookupParameters):
    """A value that a filter does not have; the arguments are the filter's title and the value."""


def unfiltered(request: HttpRequest, url: str, error: IncorrectLookupParameters) -> HttpResponse:
    """Redirect to a list without its filters, which says what was wrong with them."""
    if isinstance(error, InvalidChoice):
        title, value = error.args
        text = _("The filter “%(filter)s” has no choice “%(value)s”. The list is shown without filters.")
        messages.warning(request, text % {"filter": title, "value": value})
    else:
        messages.warning(request, _("The address asked for a filter or a page that this list does not have."))
    return HttpResponseRedirect(url)


class CappedPaginator(Paginator):
    """Pages of the first so many rows, so that no request counts a whole table."""

    @property
    def most(self) -> int:
        return MAX_LISTED

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[: self.most + 1].count()

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than the list shows."""
        return self._counted > self.most

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)


class SafeLookupAdmin(ModelAdmin):
    """A list that says what it is filtered by, and what is wrong with a filter that it or the database does not have.
    What happens to its objects is in the trail: Django's own log is not written, and has no page.
    """

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if not str(url.name).endswith("_history")]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = capfirst(str(self.opts.verbose_name_plural))
        response = super().changelist_view(request, {"title": title, **(extra_context or {})})
        if isinstance(response, HttpResponseRedirect) and (error := vars(request).get(_LOOKUP_ERROR)):
            return unfiltered(request, request.path, error)
        context = getattr(response, "context_data", None) or {}
        if listed := context.get("cl"):
            # Django itself adds the flag to addresses, and people keep them.
            context["had_invalid_filters"] = ERROR_FLAG in request.GET
            context["filters"] = active_filters(listed)
        return response

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Each database reports an invalid regular expression differently, and administrators do not need them.
        return not lookup.endswith("regex") and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            vars(request)[_LOOKUP_ERROR] = wrong = IncorrectLookupParameters("The query contains NUL.")
            raise wrong
        try:
            # PostgreSQL continues a transaction after an error only from a savepoint.
            with transaction.atomic():
                return super().get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            vars(request)[_LOOKUP_ERROR] = error
            raise
        except (ValueError, OverflowError, DataError) as error:
            vars(request)[_LOOKUP_ERROR] = wrong = IncorrectLookupParameters(str(error))
            raise wrong from error


class NewestFirstChangeList(ChangeList):
    """A changelist whose order is always the one of an index, whatever the query string asks."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ordering_of(request)


def ordering_of(request: HttpRequest) -> list[str]:
    """Return the order of a list: by id or, where a period is chosen, as the index on `at` has it."""
    return ["-at", "-id"] if request.GET.get(PERIOD_PARAMETER) else ["-id"]


def parse_ip(term: str) -> str | None:
    """Return an IP address in its canonical form, or None where the term is not one."""
    try:
        return str(ipaddress.ip_address(term))
    except ValueError:
        return None
