"""Filters of the trail's lists."""

import re
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from audit.admin.changelist import PERIOD_PARAMETER, InvalidChoice
from audit.origin import ADMIN_SITE, CONSOLE, contract_choices

_DAYS_BACK: Final = {"today": 0, "7d": 6, "30d": 29}
_MAX_MONTHS: Final = 24
_DATE: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def period_bounds(value: str) -> tuple[datetime, datetime]:
    """Return the start of a period in the service's time zone, and its end, which is exclusive.

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


class ChoiceFilter(SimpleListFilter):
    """A filter that refuses a value that is none of its choices: Django's shows the list as if it were filtered."""

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        value = self.value()
        if value is not None and value not in {str(choice) for choice, _label in self.lookup_choices}:
            raise InvalidChoice(self.title, value)


class PeriodFilter(SimpleListFilter):
    """A filter by month, then by day. Computed here, because MariaDB has no time zones unless they are loaded."""

    title = _("time")
    parameter_name = PERIOD_PARAMETER

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
        """Return the first day of each month that may have rows, the newest first."""
        rows = model_admin.model._default_manager
        oldest = rows.order_by("id").values_list("at", flat=True).first()
        if oldest is None:
            return []
        first, month = timezone.localdate(oldest).replace(day=1), timezone.localdate().replace(day=1)
        months: list[date] = []
        while month >= first and len(months) < _MAX_MONTHS:
            months.append(month)
            month = (month - timedelta(days=1)).replace(day=1)
        return months

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (value := self.value()):
            return queryset
        try:
            first, after = period_bounds(value)
        except (ValueError, OverflowError) as error:
            raise InvalidChoice(self.title, value) from error
        return queryset.filter(at__gte=first, at__lt=after)


def _days(month: date) -> list[date]:
    """Return the days of a month until today, the newest first."""
    last = min(_next_month(month) - timedelta(days=1), timezone.localdate())
    return [month.replace(day=number) for number in range(last.day, 0, -1)]


class ContractFilter(SimpleListFilter):
    """A filter by contract, with the configured ones as choices: Django's own filter would scan all rows for them."""

    title = _("contract")
    parameter_name = "contract"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        labels = dict(contract_choices())
        names = (*sorted(settings.CONTRACT_MOUNTS), ADMIN_SITE, CONSOLE.contract)
        return [(name, str(labels.get(name, name))) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(contract=self.value()) if self.value() else queryset
