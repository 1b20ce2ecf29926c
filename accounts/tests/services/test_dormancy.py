"""Accounts that nobody uses: warned of, then disabled."""

import io
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Message, User
from accounts.services import account_state, dormancy, permissions, users
from accounts.services.dormancy import DormancyRun
from accounts.tests.messages import queued
from accounts.tests.tools import Api
from audit.models import SecurityEvent
from audit.origin import CONSOLE, Origin

pytestmark = pytest.mark.django_db

START = datetime.fromisoformat("2026-01-01T08:00:00+08:00")


@pytest.fixture(autouse=True)
def _after_90_days(settings: Settings) -> None:
    settings.DORMANT_AFTER = timedelta(days=90)


@pytest.fixture
def on_day(alice: User) -> Callable[[int], DormancyRun]:
    """Return what runs the command on a day after alice's last login."""
    User.objects.update(created_at=START, last_login=START)

    def run(day: int) -> DormancyRun:
        with time_machine.travel(START + timedelta(days=day), tick=False):
            return dormancy.run(dry_run=False, origin=CONSOLE)

    return run


def is_active(user: User) -> bool:
    active: bool = User.objects.filter(pk=user.pk, is_active=True).exists()
    return active


def test_administrators_are_warned_14_days_before_and_then_the_account_is_disabled(
    on_day: Callable[[int], DormancyRun], alice: User
) -> None:
    counts = [(day, found.warned, found.disabled) for day in (75, 76, 77, 89, 90, 91) for found in [on_day(day)]]
    assert counts == [(75, 0, 0), (76, 1, 0), (77, 0, 0), (89, 0, 0), (90, 0, 1), (91, 0, 0)]
    event = SecurityEvent.objects.latest("id")
    assert (event.event, event.user, event.detail) == ("user:deactivated", alice, {"cause": "dormant"})


def test_the_warning_precedes_a_setting_that_is_new(on_day: Callable[[int], DormancyRun], alice: User) -> None:
    assert [on_day(day) for day in (500, 513, 514)] == [DormancyRun(1, 0), DormancyRun(0, 0), DormancyRun(0, 1)]


def test_a_login_after_the_warning_begins_the_time_anew(on_day: Callable[[int], DormancyRun], alice: User) -> None:
    on_day(76)
    User.objects.filter(pk=alice.pk).update(last_login=START + timedelta(days=80))
    assert [on_day(day) for day in (90, 155, 156)] == [DormancyRun(0, 0), DormancyRun(0, 0), DormancyRun(1, 0)]


def test_a_login_while_the_command_runs_keeps_the_account(
    on_day: Callable[[int], DormancyRun], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_day(76)
    real = permissions.lock_for_change

    def overtaken(user: User, fields: Collection[str]) -> permissions.StoredAccount:
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        return real(user, fields)

    monkeypatch.setattr(permissions, "lock_for_change", overtaken)
    assert on_day(90) == DormancyRun(0, 0)
    assert is_active(alice)


def test_an_account_that_an_administrator_enables_has_the_whole_time_again(
    on_day: Callable[[int], DormancyRun], alice: User, root: User, origin: Origin
) -> None:
    on_day(76)
    on_day(90)
    with time_machine.travel(START + timedelta(days=100), tick=False):
        account_state.activate(user=User.objects.get(pk=alice.pk), actor=root, origin=origin)
    assert on_day(101) == DormancyRun(0, 0)
    assert is_active(alice)


def test_an_applicant_is_not_dormant_and_counts_from_the_approval(
    on_day: Callable[[int], DormancyRun], alice: User, root: User, origin: Origin
) -> None:
    User.objects.filter(pk=alice.pk).update(last_login=None, awaits_approval=True)
    assert [on_day(day) for day in (76, 90, 200)] == [DormancyRun(0, 0)] * 3
    with time_machine.travel(START + timedelta(days=200), tick=False):
        account_state.approve(user=User.objects.get(pk=alice.pk), actor=root, origin=origin)
    assert [on_day(day).warned for day in (275, 276)] == [0, 1]


def test_a_rejected_account_is_not_dormant(
    on_day: Callable[[int], DormancyRun], alice: User, root: User, origin: Origin
) -> None:
    User.objects.filter(pk=alice.pk).update(last_login=None, awaits_approval=True)
    account_state.reject(user=alice, reason="No.", actor=root, origin=origin)
    assert on_day(76) == DormancyRun(0, 0)


def test_an_account_past_its_last_day_is_not_dormant_and_counts_from_the_later_one(
    on_day: Callable[[int], DormancyRun], alice: User, root: User, origin: Origin
) -> None:
    on_day(76)
    User.objects.filter(pk=alice.pk).update(valid_until=(START + timedelta(days=80)).date())
    with time_machine.travel(START + timedelta(days=81), tick=False):
        assert not dormancy.warned().exists()
    assert on_day(100) == DormancyRun(0, 0)
    with time_machine.travel(START + timedelta(days=200), tick=False):
        changes = {"valid_until": (START + timedelta(days=400)).date()}
        users.change(user=User.objects.get(pk=alice.pk), changes=changes, actor=root, origin=origin)
    assert [on_day(day).warned for day in (275, 276)] == [0, 1]


def test_superusers_and_the_last_administrator_stay(
    root: User, head: User, on_day: Callable[[int], DormancyRun]
) -> None:
    User.objects.filter(pk=root.pk).update(role="doctor")
    on_day(76)
    assert on_day(90).disabled == 1
    assert (is_active(root), is_active(head)) == (True, True)


def test_administrators_with_a_proved_contact_receive_a_message(
    on_day: Callable[[int], DormancyRun], head: User, bob: User
) -> None:
    User.objects.filter(pk=head.pk).update(verified_email=head.email_key, last_login=timezone.now())
    User.objects.filter(pk=bob.pk).update(created_at=START)
    on_day(76)
    assert queued() == [("email", head.email, "dormant_accounts")]
    assert Message.objects.get().user == head


def test_the_command_says_what_it_did_or_would_do(
    on_day: Callable[[int], DormancyRun], alice: User, settings: Settings
) -> None:
    def command(*args: str) -> str:
        out = io.StringIO()
        call_command("disable_dormant", *args, stdout=out)
        return out.getvalue()

    assert command("--dry-run") == "1 would be warned of, 0 would be disabled\n"
    assert command() == "1 warned of, 0 disabled\n"
    settings.DORMANT_AFTER = None
    assert command() == "DORMANT_DAYS is not set: no account is disabled.\n"


def test_a_dormant_account_is_refused_as_a_disabled_one(on_day: Callable[[int], DormancyRun], alice: User) -> None:
    on_day(76)
    on_day(90)
    assert Api().login().json()["code"] == "account_disabled"
