"""Attempts counted by the hour and by the day, as the clocks of the deployment's time zone have them."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Case, IntegerField, Sum, Value, When

from audit.events import Status
from audit.models import LoginAttempt

HOURS: Final = 24
DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of time without gaps: each start is the end of the one before."""

    starts: list[datetime]
    end: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """How many attempts of one stretch were good, and how many were not."""

    start: datetime
    end: datetime
    successes: int
    failures: int


def last_hours(now: datetime) -> Spans:
    """Return the 24 hours of the clock of which the last is going on."""
    this = now.astimezone(settings.ZONE).replace(minute=0, second=0, microsecond=0)
    # Differences of local times would skip the hour that a clock is put forward by.
    first = this.timestamp() - timedelta(hours=HOURS - 1).total_seconds()
    starts = [datetime.fromtimestamp(first + 3600 * number, settings.ZONE) for number in range(HOURS + 1)]
    return Spans(starts[:-1], starts[-1])


def last_days(now: datetime) -> Spans:
    """Return the 14 days of the calendar of which the last is going on."""
    today = now.astimezone(settings.ZONE).date()
    midnights = [
        datetime.combine(today + timedelta(days=number), time.min, settings.ZONE) for number in range(1 - DAYS, 2)
    ]
    return Spans(midnights[:-1], midnights[-1])


def counted(spans: Spans) -> list[Count]:
    """Return the attempts of each stretch, by one statement.

    The boundaries are made here: no database need know a time zone, and days of 23 or 25 hours are counted right.
    """
    newest_first = reversed(list(enumerate(spans.starts)))
    number = Case(
        *(When(at__gte=start, then=Value(number)) for number, start in newest_first), output_field=IntegerField()
    )
    rows = (
        LoginAttempt.objects.filter(at__gte=spans.starts[0])
        .annotate(number=number)
        .values_list("number", "status")
        .annotate(times=Sum("repeats"))
        .order_by()
    )
    found = {(number, status): times for number, status, times in rows}
    ends = [*spans.starts[1:], spans.end]
    return [
        Count(start, end, found.get((number, Status.SUCCESS.value), 0), found.get((number, Status.FAILED.value), 0))
        for number, (start, end) in enumerate(zip(spans.starts, ends, strict=True))
    ]
