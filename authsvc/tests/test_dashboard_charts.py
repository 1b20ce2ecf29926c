"""The charts of the admin site's first page: their hours and days, counts and bars."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from authsvc.admin_site import dashboard
from authsvc.admin_site.charts import chart
from authsvc.admin_site.periods import Count, counted, last_days, last_hours
from authsvc.tests.dashboard_data import NOW, SHANGHAI, _now, attempt, listed

__all__ = ["_now"]

pytestmark = pytest.mark.django_db


class TestTimes:
    def test_the_last_hour_is_the_current_one(self) -> None:
        spans = last_hours(NOW)
        assert (len(spans.starts), spans.starts[0], spans.starts[-1], spans.end) == (
            24,
            datetime(2026, 3, 8, 23, tzinfo=UTC),
            datetime(2026, 3, 9, 22, tzinfo=UTC),
            datetime(2026, 3, 9, 23, tzinfo=UTC),
        )

    def test_a_day_begins_at_midnight_of_the_time_zone(self) -> None:
        spans = last_days(NOW)
        assert (len(spans.starts), spans.starts[0], spans.starts[-1], spans.end) == (
            14,
            datetime(2026, 2, 25, tzinfo=SHANGHAI),
            datetime(2026, 3, 10, tzinfo=SHANGHAI),
            datetime(2026, 3, 11, tzinfo=SHANGHAI),
        )

    @pytest.mark.parametrize(("day", "hours"), [(8, 23), (9, 24)])
    def test_a_day_on_which_the_clock_is_put_forward_has_23_hours(
        self, settings: Settings, day: int, hours: int
    ) -> None:
        settings.ZONE = ZoneInfo("America/New_York")
        spans = last_days(NOW)
        edges = {start.day: end for start, end in zip(spans.starts, [*spans.starts[1:], spans.end], strict=True)}
        start = datetime(2026, 3, day, tzinfo=settings.ZONE)
        assert edges[day].timestamp() - start.timestamp() == hours * 3600

    def test_no_hour_is_skipped_or_doubled_when_the_clock_is_put_forward(self, settings: Settings) -> None:
        settings.ZONE = ZoneInfo("America/New_York")
        starts = last_hours(datetime(2026, 3, 8, 20, tzinfo=UTC)).starts
        assert {b.timestamp() - a.timestamp() for a, b in pairwise(starts)} == {3600}
        assert [start.hour for start in starts if start.day == 8] == [
            0,
            1,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            12,
            13,
            14,
            15,
            16,
        ]

    def test_an_hour_begins_where_the_zones_clock_shows_a_full_hour(self, settings: Settings) -> None:
        settings.ZONE = ZoneInfo("Asia/Kathmandu")
        assert last_hours(NOW).starts[-1] == datetime(2026, 3, 9, 22, 15, tzinfo=UTC)

    def test_an_attempt_counts_in_the_interval_that_contains_it(self) -> None:
        midnight = datetime(2026, 3, 9, tzinfo=SHANGHAI)
        attempt(midnight - timedelta(microseconds=1))
        attempt(midnight)
        attempt(midnight + timedelta(hours=23, minutes=59), "wrong_password")
        attempt(midnight + timedelta(days=1), "locked", repeats=7)
        counts = [(count.successes, count.failures) for count in counted(last_days(NOW))]
        assert counts == [(0, 0)] * 11 + [(1, 0), (1, 1), (0, 7)]

    def test_older_attempts_do_not_count(self) -> None:
        attempt(last_days(NOW).starts[0] - timedelta(microseconds=1))
        assert {(count.successes, count.failures) for count in counted(last_days(NOW))} == {(0, 0)}

    def test_attempts_are_counted_by_one_statement(self, statements: Any) -> None:
        with statements() as captured:
            counted(last_hours(NOW))
        assert len(captured.sql) == 1


class TestCharts:
    def made(self, *counts: tuple[int, int]) -> Any:
        spans = last_hours(NOW).starts
        rows = [Count(at, at + timedelta(hours=1), *pair) for at, pair in zip(spans, counts, strict=False)]
        return chart("hours", "Hours", rows, "H:i", dashboard.attempts_url)

    def test_failures_are_stacked_on_successes(self) -> None:
        (bar,) = self.made((3, 2)).bars
        assert bar.failures.y + bar.failures.height == bar.successes.y
        assert bar.successes.y + bar.successes.height == 192

    def test_heights_are_in_proportion(self) -> None:
        (bar,) = self.made((60, 40)).bars
        assert (bar.successes.height, bar.failures.height) == (108, 72)

    @pytest.mark.parametrize(
        ("most", "lines"),
        [(0, [0, 1]), (1, [0, 1]), (2, [0, 1, 2]), (3, [0, 5]), (11, [0, 10, 20]), (501, [0, 500, 1000])],
    )
    def test_the_scale_has_round_numbers(self, most: int, lines: list[int]) -> None:
        assert [line.value for line in self.made((most, 0)).lines] == lines

    def test_a_small_count_is_visible_beside_a_large_one(self) -> None:
        calm, _flood = self.made((1, 0), (0, 100_000)).bars
        assert calm.successes.height == 2

    def test_a_count_of_zero_has_no_height(self) -> None:
        (bar,) = self.made((0, 0)).bars
        assert (bar.successes.height, bar.failures.height) == (0, 0)

    def test_totals_and_bars_link_to_their_attempts(self, head: User) -> None:
        attempt(NOW)
        attempt(NOW, "wrong_password")
        attempt(NOW - timedelta(hours=2), "unknown_user")
        attempt(NOW - timedelta(days=3))
        hours, days = dashboard.context_for(head)["charts"]
        found = [
            (block.times, listed(head, block.url))
            for block in (
                hours.successes,
                hours.failures,
                days.successes,
                hours.bars[-1].failures,
                hours.bars[-3].failures,
            )
        ]
        assert found == [(1, 1), (2, 2), (2, 2), (1, 1), (1, 1)]
