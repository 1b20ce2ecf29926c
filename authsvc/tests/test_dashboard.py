"""The admin site's first page: its figures, the lists behind them, and the permissions that they require."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Heartbeat, Session, User
from accounts.tests.admin.conftest import auditor
from accounts.tests.factors import enrol_app
from accounts.tests.messaging.conftest import Enqueue, enqueue
from accounts.tests.tools import HERE, PASSWORD, Api
from audit import trail_checks
from audit.models import TrailCheck
from authsvc.admin_site import dashboard
from authsvc.tests.dashboard_data import NOW, SHANGHAI, _now, attempt, figures, listed, lock, logged_in, rows_in

__all__ = ["_now", "auditor", "enqueue"]

pytestmark = pytest.mark.django_db


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
