"""Expired rows are removed, and nothing that still has an effect."""

import io
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session as AdminSession
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import (
    AttemptBudget,
    AttemptPurpose,
    Code,
    FormerHashKind,
    FormerPassword,
    Message,
    SecondFactor,
    Session,
    SpentChallenge,
    User,
)
from accounts.services import purging
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api, later
from audit.models import LoginAttempt, SecurityEvent, TrailCheck
from audit.origin import CONSOLE
from authsvc.management.commands import quickstart

pytestmark = pytest.mark.django_db


def purge(*args: str) -> str:
    out = io.StringIO()
    with mock.patch("time.sleep"):
        call_command("purge", *args, stdout=out)
    return out.getvalue()


def ago(**by: float) -> datetime:
    return timezone.now() - timedelta(**by)


def session_of(user: User, *, expires_at: datetime, ended_at: datetime | None = None) -> Session:
    times = dict.fromkeys(("created_at", "last_seen_at", "rotated_at"), expires_at - timedelta(days=14))
    return Session.objects.create(
        id=uuid.uuid4(),
        user=user,
        stamp=user.stamp,
        contract="native",
        expires_at=expires_at,
        latest_end_at=expires_at,
        ended_at=ended_at,
        **times,
    )


def message_of(user: User, expires_at: datetime) -> Message:
    return Message.objects.create(user=user, channel="email", address="a@b.com", expires_at=expires_at)


def budget_of(purpose: AttemptPurpose, expires_at: datetime, **columns: Any) -> AttemptBudget:
    return AttemptBudget.objects.create(purpose=purpose, address=str(uuid.uuid4()), expires_at=expires_at, **columns)


def test_sessions_that_ended_or_expired_90_days_ago_are_removed(alice: User) -> None:
    session_of(alice, expires_at=ago(days=90, minutes=1))
    session_of(alice, expires_at=ago(days=80), ended_at=ago(days=90, minutes=1))
    kept = {
        session_of(alice, expires_at=ago(days=89)).pk,
        session_of(alice, expires_at=ago(days=88), ended_at=ago(days=89)).pk,
        # It was renewed since it began.
        session_of(alice, expires_at=timezone.now() + timedelta(days=1)).pk,
    }
    assert purge("--only", "sessions") == "sessions: 2 removed\n"
    assert set(Session.objects.values_list("pk", flat=True)) == kept


def test_rows_of_the_trail_are_removed_after_their_retention(alice: User, settings: Settings) -> None:
    settings.TRAIL_RETENTION_DAYS = 200
    for days in (201, 199):
        with later(days=-days):
            Api().login("nobody")
    assert purge("--dry-run", "--only", "trail") == "trail: 1 would be removed\n"
    assert purge("--only", "trail") == "trail: 1 removed\n"
    assert LoginAttempt.objects.get().at > ago(days=200)
    assert SecurityEvent.objects.latest("id").detail["counts"] == {"trail": 1}


def test_verifications_of_the_trail_are_kept_as_long_as_its_rows(settings: Settings) -> None:
    settings.TRAIL_RETENTION_DAYS = 200
    for days in (201, 199):
        TrailCheck.objects.create(kind="verified", at=ago(days=days), intact=True)
    assert purge("--only", "trail") == "trail: 1 removed\n"
    assert TrailCheck.objects.get().at > ago(days=200)


def test_messages_and_codes_are_removed_a_day_after_they_expired(alice: User) -> None:
    message_of(alice, ago(days=1, minutes=1))
    kept = message_of(alice, ago(hours=23))
    Code.objects.create(account_id=1, purpose="reset", encoded="x", expires_at=ago(days=1, minutes=1))
    kept_code = Code.objects.create(account_id=2, purpose="reset", encoded="x", expires_at=ago(hours=23))
    assert purge("--only", "messages,codes") == "messages: 1 removed\ncodes: 1 removed\n"
    assert (Message.objects.get(), Code.objects.get()) == (kept, kept_code)


def test_ids_of_tokens_that_have_served_are_removed_when_they_expire() -> None:
    SpentChallenge.objects.create(id="expired", expires_at=ago(seconds=1))
    kept = SpentChallenge.objects.create(id="valid", expires_at=timezone.now() + timedelta(minutes=1))
    assert purge("--only", "challenges") == "challenges: 1 removed\n"
    assert SpentChallenge.objects.get() == kept


def test_apps_that_nobody_has_confirmed_are_removed_after_a_day(alice: User) -> None:
    def app(**times: datetime) -> SecondFactor:
        return SecondFactor.objects.create(user=alice, type="totp", **times)

    app(created_at=ago(days=1, minutes=1))
    kept = {app(created_at=ago(hours=23)), app(created_at=ago(days=400), confirmed_at=ago(days=400))}
    assert purge("--only", "unconfirmed_factors") == "unconfirmed_factors: 1 removed\n"
    assert set(SecondFactor.objects.all()) == kept


def test_expired_sessions_of_the_admin_site_are_removed() -> None:
    AdminSession.objects.create(session_key="past", session_data="", expire_date=ago(minutes=1))
    AdminSession.objects.create(session_key="live", session_data="", expire_date=timezone.now() + timedelta(minutes=1))
    assert purge("--only", "admin_sessions") == "admin_sessions: 1 removed\n"
    assert AdminSession.objects.get().session_key == "live"


@pytest.mark.parametrize("purpose", [AttemptPurpose.LOGIN, AttemptPurpose.LOGIN_SUCCESSES, AttemptPurpose.CONTACT_DAY])
def test_a_budget_is_removed_48_hours_after_its_window(purpose: AttemptPurpose) -> None:
    budget_of(purpose, ago(hours=48, minutes=1), count=3, locked_until=ago(hours=72), last_success_at=ago(days=31))
    kept = budget_of(purpose, ago(hours=47))
    assert purge("--only", "budgets") == "budgets: 1 removed\n"
    assert AttemptBudget.objects.get() == kept


@pytest.mark.parametrize(
    "columns",
    [
        {"locked_until": timedelta(hours=-47)},
        {"claims_expire_at": timedelta(hours=-47)},
        {"last_success_at": timedelta(days=-29)},
    ],
    ids=lambda columns: "".join(columns),
)
def test_a_budget_is_kept_while_it_has_an_effect(columns: dict[str, timedelta]) -> None:
    times = {name: timezone.now() + by for name, by in columns.items()}
    budget_of(AttemptPurpose.LOGIN, ago(hours=49), **times)
    assert purge("--only", "budgets") == "budgets: 0 removed\n"


def test_failures_since_the_last_success_are_kept_for_ever(alice: User) -> None:
    Api().login(password="wrong")
    with later(days=364):
        purge("--only", "budgets")
    assert list(AttemptBudget.objects.values_list("purpose", "count")) == [("login:since_success", 1)]


def test_an_address_stays_known_for_30_days(alice: User) -> None:
    Api().login()
    with later(days=29):
        purge("--only", "budgets")
    assert AttemptBudget.objects.get().purpose == AttemptPurpose.LOGIN
    with later(days=31):
        purge("--only", "budgets")
    assert not AttemptBudget.objects.exists()


def test_a_lock_of_24_hours_outlasts_a_purge(alice: User) -> None:
    with later(hours=-47):
        for _ in range(5):
            Api(ELSEWHERE).login(password="wrong")
    AttemptBudget.objects.filter(purpose="login").update(locked_until=timezone.now() + timedelta(hours=1))
    purge()
    assert Api(ELSEWHERE).login(password=PASSWORD).status_code == 429


def test_a_dry_run_counts_and_removes_nothing(alice: User) -> None:
    session_of(alice, expires_at=ago(days=91))
    assert purge("--dry-run", "--only", "sessions") == "sessions: 1 would be removed\n"
    assert (Session.objects.count(), SecurityEvent.objects.count()) == (1, 0)


def test_a_purge_is_recorded_with_its_counts(alice: User) -> None:
    message_of(alice, ago(days=2))
    purge("--only", "messages,codes")
    started, complete = SecurityEvent.objects.order_by("id")
    key = started.detail["purge"]
    assert (started.event, started.detail) == ("records:purged", {"purge": key, "phase": "started", "counts": {}})
    assert complete.detail == {"purge": key, "phase": "complete", "counts": {"messages": 1, "codes": 0}}


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_every_expired_row_is_in_one_batch(alice: User, batch: int) -> None:
    for days in (91, 91, 92, 93, 93, 93, 94):
        session_of(alice, expires_at=ago(days=days).replace(minute=0, second=0, microsecond=0))
    kept = session_of(alice, expires_at=ago(days=1))
    with mock.patch.object(purging, "BATCH", batch):
        assert purge("--only", "sessions") == "sessions: 7 removed\n"
    assert Session.objects.get() == kept


def test_an_interrupted_purge_is_recorded_and_the_next_one_continues(alice: User) -> None:
    for _ in range(3):
        message_of(alice, ago(days=2))
    stopped = mock.patch("time.sleep", side_effect=KeyboardInterrupt)
    with mock.patch.object(purging, "BATCH", 1), stopped, pytest.raises(CommandError, match="was stopped") as error:
        call_command("purge", "--only", "messages")
    assert error.value.returncode == 130
    event = SecurityEvent.objects.latest("id")
    assert (event.detail["phase"], event.detail["counts"]) == ("broken_off", {"messages": 1})
    assert Message.objects.count() == 2
    assert purge("--only", "messages") == "messages: 2 removed\n"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(CommandError, match="--only has rubbish; known are trail"):
        purge("--only", "sessions,rubbish")


def test_quickstart_purges_every_day(alice: User) -> None:
    message_of(alice, ago(days=2))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if slept.count(86400) == 2:
            raise KeyboardInterrupt

    with mock.patch("time.sleep", sleep), mock.patch.object(quickstart, "connection"), pytest.raises(KeyboardInterrupt):
        quickstart.purge_daily()
    assert not Message.objects.exists()
    assert SecurityEvent.objects.filter(event="records:purged", detail__phase="complete").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_row_that_a_request_has_locked_is_left_for_the_next_run(alice: User) -> None:
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("The database has no row locks that can be skipped.")
    locked, free = message_of(alice, ago(days=2)), message_of(alice, ago(days=2))
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Message.objects.select_for_update().get(pk=locked.pk)
        assert other.submit(_purge_messages).result() == 1
    assert not Message.objects.filter(pk=free.pk).exists()
    assert purge("--only", "messages") == "messages: 1 removed\n"


def _purge_messages() -> int:
    try:
        return sum(removed for _, removed in purging.run(names=["messages"], dry_run=False, origin=CONSOLE))
    finally:
        connection.close()


def test_the_guide_says_of_every_table_that_no_purge_empties_why_it_stays_small() -> None:
    purged = {
        *(AdminSession, AttemptBudget, Code, FormerHashKind, FormerPassword, Message, SecondFactor, Session),
        *(LoginAttempt, SecurityEvent, SpentChallenge, TrailCheck),
    }
    others = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model not in purged}
    guide = (settings.BASE_DIR / "docs/retention.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`((?:accounts|audit|auth|django)_[a-z_]+)`", guide)) == others
