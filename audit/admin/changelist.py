"""Lists of many millions of rows: no full count, no sorting, and what is looked for is found by an index."""

import ipaddress
import re
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from audit.origin import ADMIN_SITE, CONSOLE, contract_choices

LISTED: Final = 10_000
PERIOD: Final = "when"
_DAYS_BACK: Final = {"today": 0, "7d": 6, "30d": 29}
_MONTHS: Final = 24
_DATE: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)


class CappedPaginator(Paginator):
    """Pages of the newest rows; nobody waits until ten million are counted."""

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[: LISTED + 1].count()

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than the list shows."""
        return self._counted > LISTED

    @cached_property
    def count(self) -> int:
        return min(self._counted, LISTED)


class SafeLookupAdmin(ModelAdmin):
    """A list whose query no database can answer leads to the whole list, as one with an unknown filter does."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # What is no regular expression is told by each database in another way, and few people write one.
        return not lookup.endswith("regex") and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            raise IncorrectLookupParameters("No database holds NUL.")
        try:
            # PostgreSQL goes on in a transaction only from before what it has refused.
            with transaction.atomic():
                return super().get_changelist_instance(request)
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(str(error)) from error


class NewestFirst(ChangeList):
    """A list in one order, the one that an index has, whatever the query asks."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return order(request)


def order(request: HttpRequest) -> list[str]:
    """Return the order of a list: by id or, of a period, as its index has the rows."""
    return ["-at", "-id"] if request.GET.get(PERIOD) else ["-id"]


def as_address(term: str) -> str | None:
    """Return a network address in its canonical form, or None for what is none."""
    try:
        return str(ipaddress.ip_address(term))
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def period(value: str) -> tuple[datetime, datetime]:
    """Return the first moment of a period in the service's time zone, and the first after it.

    A period is `today`, `7d`, `30d`, a month such as `2026-11` or a day such as `2026-11-20`. Raises ValueError.
    """
    if value in _DAYS_BACK:
        today = timezone.localdate()
        first, after = today - timedelta(days=_DAYS_BACK[value]), today + timedelta(days=1)
    elif match := _DATE.fullmatch(value):
        year, month, day = match.groups()
        first = date(int(year), int(month), int(day or 1))
        after = first + timedelta(days=1) if day else _next_month(first)
    else:
        raise ValueError(value)
    return _midnight(first), _midnight(after)


class PeriodFilter(SimpleListFilter):
    """A month, then a day of it; computed here, because MariaDB has no time zones unless somebody loads them."""

    title = _("time")
    parameter_name = PERIOD

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        chosen = _DATE.fullmatch(self.value() or "")
        found: list[tuple[str, Any]] = [
            ("today", _("today")),
            ("7d", _("the last 7 days")),
            ("30d", _("the last 30 days")),
        ]
        for month in self._months(model_admin):
            key = f"{month:%Y-%m}"
            found.append((key, date_format(month, "YEAR_MONTH_FORMAT")))
            if chosen and chosen[0].startswith(key):
                found += [(f"{day:%Y-%m-%d}", f"– {date_format(day, 'MONTH_DAY_FORMAT')}") for day in _days(month)]
        return found

    @staticmethod
    def _months(model_admin: ModelAdmin) -> list[date]:
        """Return the first days of the months in which there are rows, the newest first."""
        rows = model_admin.model._default_manager
        oldest = rows.order_by("id").values_list("at", flat=True).first()
        if oldest is None:
            return []
        first, month = timezone.localdate(oldest).replace(day=1), timezone.localdate().replace(day=1)
        months: list[date] = []
        while month >= first and len(months) < _MONTHS:
            months.append(month)
            month = (month - timedelta(days=1)).replace(day=1)
        return months

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (value := self.value()):
            return queryset
        try:
            first, after = period(value)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        return queryset.filter(at__gte=first, at__lt=after)


def _days(month: date) -> list[date]:
    """Return the days of a month that have come, the newest first."""
    last = min(_next_month(month) - timedelta(days=1), timezone.localdate())
    return [month.replace(day=number) for number in range(last.day, 0, -1)]


class ContractFilter(SimpleListFilter):
    """The doors that there are; Django's own filter would look through all rows for them."""

    title = _("contract")
    parameter_name = "contract"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        words = dict(contract_choices())
        doors = (*sorted(settings.CONTRACT_MOUNTS), ADMIN_SITE, CONSOLE.contract)
        return [(name, str(words.get(name, name))) for name in doors]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(contract=self.value()) if self.value() else queryset
