"""The admin site's first page: its figures, the lists behind them, and the permissions that they require."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Heartbeat, Session, User
from accounts.tests import admin_client
from accounts.tests.admin.conftest import auditor
from accounts.tests.factors import enrol_app
from accounts.tests.messaging.conftest import Enqueue, enqueue
from accounts.tests.tools import HERE, PASSWORD, Api
from audit import trail_checks
from audit.models import LoginAttempt, TrailCheck
from authsvc.admin_site import dashboard
from authsvc.admin_site.charts import chart
from authsvc.admin_site.periods import Count, counted, last_days, last_hours

__all__ = ["auditor", "enqueue"]

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Half past ten in the evening in UTC is the next morning in Shanghai.
NOW = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(settings: Settings) -> Iterator[None]:
    settings.ZONE = SHANGHAI
    with time_machine.travel(NOW, tick=False):
        yield


def attempt(at: datetime, failure_reason: str = "", **columns: Any) -> LoginAttempt:
    columns = {"contract": "native", "ip": HERE, "identifier": "alice", **columns}
    columns = {"status": "failed" if failure_reason else "success", **columns}
    return LoginAttempt.objects.create(at=at, failure_reason=failure_reason, **columns)


def lock(user: User, until: datetime, **columns: Any) -> None:
    values = {
        "purpose": "login",
        "account_id": user.pk,
        "address": HERE,
        "locked_until": until,
        "expires_at": until,
        **columns,
    }
    AttemptBudget.objects.create(**values)


def logged_in(user: User) -> Client:
    return admin_client.logged_in(user, headers={"Accept-Language": "en"})


def figures(user: User) -> dict[str, dashboard.Figure]:
    return {figure.name: figure for figure in dashboard.context_for(user)["figures"]}


def listed(user: User, url: str) -> int:
    """Return the number of rows in the list that a figure links to."""
    return rows_in(logged_in(user), url)


def rows_in(client: Client, url: str) -> int:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return int(answer.context["cl"].result_count)


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


class TestFigures:
    def test_people_with_a_session_active_within_15_minutes_are_online(self, head: User, alice: User) -> None:
        for minutes in (0, 14, 16):
            with time_machine.travel(NOW - timedelta(minutes=minutes), tick=False):
                Api().tokens()
        client = logged_in(head)
        online = figures(head)["online"]
        names = [row.label for row in online.rows]
        assert (online.number, sorted(names), rows_in(client, online.url)) == (2, ["alice Alice Zhang", "head"], 2)

    def test_an_ended_session_is_not_online(self, head: User, alice: User) -> None:
        Api().post("logout", None, Api().tokens()["access_token"])
        assert figures(head)["online"].number == 0

    def test_an_account_is_locked_until_its_lock_expires(self, head: User, alice: User, bob: User) -> None:
        lock(alice, NOW + timedelta(seconds=1))
        lock(alice, NOW + timedelta(hours=1), purpose="login:unknown_addresses", address="")
        lock(bob, NOW)
        locked = figures(head)["locked"]
        assert (locked.number, [row.label for row in locked.rows], listed(head, locked.url)) == (
            1,
            ["alice Alice Zhang"],
            1,
        )

    def test_only_locks_of_logins_count(self, head: User, alice: User) -> None:
        lock(alice, NOW + timedelta(hours=1), purpose="code:reset:check")
        AttemptBudget.objects.create(
            purpose="address", address=HERE, locked_until=NOW + timedelta(hours=1), expires_at=NOW
        )
        assert figures(head)["locked"].number == listed(head, figures(head)["locked"].url) == 0

    def test_an_address_is_suspicious_until_its_time(self, head: User) -> None:
        for address, until in [(HERE, NOW + timedelta(minutes=59)), ("198.51.100.9", NOW)]:
            AttemptBudget.objects.create(
                purpose="address:suspicion", address=address, locked_until=until, expires_at=until
            )
        found = figures(head)["suspected"]
        assert (found.number, [(row.label, row.value) for row in found.rows], listed(head, found.url)) == (
            1,
            [(HERE, "07:29")],
            1,
        )

    def test_an_auditor_sees_when_the_trail_was_verified_and_what_was_found(self, auditor: User) -> None:
        trail_checks.store(TrailCheck.Kind.VERIFIED, at=NOW, intact=False, result={})
        found = figures(auditor)["seal"]
        times = [(row.label, row.value) for row in found.rows]
        assert (found.number, times) == ("damaged", [("verified", trail_checks.local_time(NOW)), ("anchored", "never")])

    def test_pending_accounts_are_ordered_by_registration_time(self, head: User, alice: User, bob: User) -> None:
        User.objects.filter(pk=alice.pk).update(awaits_approval=True, created_at=NOW - timedelta(days=1))
        User.objects.filter(pk=bob.pk).update(awaits_approval=True, created_at=NOW - timedelta(days=2))
        awaiting = figures(head)["awaiting"]
        assert (awaiting.number, [row.label for row in awaiting.rows], listed(head, awaiting.url)) == (
            2,
            ["bob", "alice Alice Zhang"],
            2,
        )

    @pytest.mark.parametrize(
        ("seen", "label", "value"),
        [
            (None, "Delivery has never run", ""),
            (timedelta(minutes=1), "Delivery runs", ""),
            (timedelta(hours=3), "Delivery does not run, since", "3\xa0hours"),
        ],
    )
    def test_delivery_that_does_not_run_is_shown(
        self, head: User, enqueue: Enqueue, seen: timedelta | None, label: str, value: str
    ) -> None:
        enqueue()
        if seen:
            Heartbeat.objects.create(name="deliver", at=NOW - seen)
        with translation.override("en"):
            waiting = figures(head)["waiting"]
            (row,) = waiting.rows
            assert (waiting.number, listed(head, waiting.url)) == (1, 1)
            assert (str(row.label), row.value) == (label, value)

    def test_administrators_without_a_second_factor_are_counted_and_listed(
        self, head: User, root: User, alice: User
    ) -> None:
        enrol_app(root)
        found = figures(head)["without-factor"]
        assert (found.number, [row.label for row in found.rows], listed(head, found.url)) == (1, ["head"], 1)

    def test_a_challenged_login_is_no_failure(self, head: User) -> None:
        attempt(NOW, "second_factor_missing", status="challenged")
        shown = dashboard.context_for(head)
        assert [(chart.successes.times, chart.failures.times) for chart in shown["charts"]] == [(0, 0)] * 2
        assert [top.rows for top in shown["tops"]] == [[], []]

    def test_reasons_and_addresses_are_ordered_by_frequency(self, head: User) -> None:
        attempt(NOW, "wrong_password", ip="192.0.2.7")
        attempt(NOW, "wrong_password", ip=None)
        attempt(NOW, "locked", ip="192.0.2.8", repeats=9)
        attempt(NOW - timedelta(days=2), "unknown_user")
        reasons, addresses = dashboard.context_for(head)["tops"]
        with translation.override("en"):
            assert [(str(row.label), row.value, listed(head, row.url)) for row in reasons.rows] == [
                ("locked", 9, 1),
                ("wrong password", 2, 2),
            ]
        assert [(row.label, row.value, listed(head, row.url)) for row in addresses.rows] == [
            ("192.0.2.8", 9, 1),
            ("192.0.2.7", 1, 1),
        ]
        assert listed(head, reasons.url) == 3
        answers = [logged_in(head).get(row.url) for row in reasons.rows]
        assert [answer.context["cl"].times for answer in answers] == [9, 2]
        assert "1 result · 9 attempts" in answers[0].content.decode()

    def test_a_list_has_five_rows_at_most(self, head: User, alice: User) -> None:
        for number in range(6):
            attempt(NOW, "wrong_password", ip=f"192.0.2.{number}")
        _reasons, addresses = dashboard.context_for(head)["tops"]
        assert len(addresses.rows) == 5


def test_accounts_whose_last_day_comes_soon_are_counted_with_their_list(
    head: User, alice: User, bob: User, root: User
) -> None:
    for user, days in ((alice, 14), (bob, 15), (root, -1)):
        User.objects.filter(pk=user.pk).update(valid_until=(NOW.astimezone(SHANGHAI) + timedelta(days=days)).date())
    found = figures(head)["ending"]
    assert (found.number, [(row.label, row.value) for row in found.rows]) == (1, [("alice Alice Zhang", "2026-03-24")])
    assert listed(head, found.url) == 1


def test_accounts_that_will_be_disabled_as_dormant_are_counted_with_their_list(
    head: User, alice: User, settings: Settings
) -> None:
    assert "dormant" not in figures(head)
    settings.DORMANT_AFTER = timedelta(days=90)
    User.objects.filter(pk=alice.pk).update(created_at=NOW - timedelta(days=80), dormancy_warned_at=NOW)
    found = figures(head)["dormant"]
    assert (found.number, [row.label for row in found.rows], listed(head, found.url)) == (1, ["alice Alice Zhang"], 1)


class TestPage:
    def test_every_link_works(self, head: User, alice: User) -> None:
        Api().tokens()
        User.objects.filter(pk=alice.pk).update(awaits_approval=True)
        lock(alice, NOW + timedelta(hours=1), purpose="login:unknown_addresses", address="")
        attempt(NOW, "wrong_password")
        client = logged_in(head)
        page = client.get("/admin/").content.decode()
        links = {unescape(link) for link in re.findall(r'<a[^>]* href="(/admin/[^"]*)"', page)}
        assert len(links) > 80
        assert {link: status for link in links if (status := client.get(link).status_code) != 200} == {}

    @pytest.mark.parametrize(
        ("permission", "also", "seen"),
        [
            ("view_session", "", []),
            ("view_user", "", ["locked", "suspected", "awaiting", "ending", "without-factor"]),
            (
                "view_user",
                "accounts.view_session",
                ["online", "locked", "suspected", "awaiting", "ending", "without-factor"],
            ),
            ("view_loginattempt", "", ["hours", "days", "reasons", "addresses"]),
            ("view_securityevent", "", ["seal"]),
            ("view_message", "", ["waiting"]),
        ],
    )
    def test_each_part_requires_its_permission(self, permission: str, also: str, seen: list[str]) -> None:
        auditor = User.objects.create_user("auditor", None, PASSWORD)

        def has_perm(_user: User, name: str, obj: object = None) -> bool:
            return name.endswith(f".{permission}") or name == also

        with mock.patch.object(User, "has_perm", has_perm):
            shown = dashboard.context_for(auditor)
        assert [part.name for parts in shown.values() for part in parts] == seen

    def test_a_chart_has_a_description_and_a_table(self, head: User) -> None:
        attempt(NOW)
        page = logged_in(head).get("/admin/").content.decode()
        assert re.findall(r'<title id="([a-z-]+)">|<desc id="([a-z-]+)">', page) == [
            ("hours-title", ""),
            ("", "hours-desc"),
            ("days-title", ""),
            ("", "days-desc"),
        ]
        assert "Succeeded: 1, failed: 0. The table below contains the numbers." in page
        assert page.count('<tr><th scope="row">') == 24 + 14

    def test_it_has_no_inline_scripts_or_styles(self, head: User) -> None:
        page = logged_in(head).get("/admin/").content.decode()
        assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page) == []

    def test_it_takes_a_fixed_number_of_statements(self, head: User, alice: User, statements: Any) -> None:
        client = logged_in(head)
        client.get("/admin/")

        def needed() -> int:
            with statements() as captured:
                client.get("/admin/")
            return len(captured.sql)

        before = needed()
        for _ in range(3):
            Api().tokens()
            attempt(timezone.now(), "wrong_password")
        Session.objects.update(last_seen_at=timezone.now())
        assert needed() == before
