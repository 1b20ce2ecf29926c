"""Login attempts per hour and per day in the deployment's time zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Case, IntegerField, Sum, Value, When

from audit.events import Status
from audit.models import LoginAttempt
from authsvc.admin_site import shared_cache

HOURS: Final = 24
DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Intervals:
    """Adjacent intervals: each start is the end of the previous interval."""

    starts: list[datetime]
    end: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """The numbers of successful and of failed attempts in one interval."""

    start: datetime
    end: datetime
    successes: int
    failures: int


def last_hours(now: datetime) -> Intervals:
    """Return the last 24 clock hours, the current one included."""
    this = now.astimezone(settings.ZONE).replace(minute=0, second=0, microsecond=0)
    # Arithmetic on local times would skip an hour when daylight saving time begins.
    first = this.timestamp() - timedelta(hours=HOURS - 1).total_seconds()
    starts = [datetime.fromtimestamp(first + 3600 * number, settings.ZONE) for number in range(HOURS + 1)]
    return Intervals(starts[:-1], starts[-1])


def last_days(now: datetime) -> Intervals:
    """Return the last 14 calendar days, the current one included."""
    today = now.astimezone(settings.ZONE).date()
    midnights = [
        datetime.combine(today + timedelta(days=number), time.min, settings.ZONE) for number in range(1 - DAYS, 2)
    ]
    return Intervals(midnights[:-1], midnights[-1])


def counted(intervals: Intervals) -> list[Count]:
    """Return the attempts of each interval, where REDIS_URL is set as they were a minute ago at most."""
    key = f"authsvc.attempts.{int(intervals.starts[0].timestamp())}.{int(intervals.end.timestamp())}"
    numbers = shared_cache.read(key)
    if not numbers:
        numbers = _numbers(intervals)
        shared_cache.write(key, numbers)
    ends = [*intervals.starts[1:], intervals.end]
    return [Count(start, end, *pair) for start, end, pair in zip(intervals.starts, ends, numbers, strict=True)]


def _numbers(intervals: Intervals) -> list[tuple[int, int]]:
    """Return the successes and failures of each interval, by one statement.

    The boundaries are computed here: databases need no time zone data, and days of 23 or 25 hours are counted right.
    """
    newest_first = reversed(list(enumerate(intervals.starts)))
    interval = Case(
        *(When(at__gte=start, then=Value(number)) for number, start in newest_first), output_field=IntegerField()
    )
    rows = (
        LoginAttempt.objects.filter(at__gte=intervals.starts[0])
        .annotate(interval=interval)
        .values_list("interval", "status")
        .annotate(times=Sum("repeats"))
        .order_by()
    )
    found = {(number, status): times for number, status, times in rows}
    return [
        (found.get((number, Status.SUCCESS.value), 0), found.get((number, Status.FAILED.value), 0))
        for number in range(len(intervals.starts))
    ]
