from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit import retention
from audit.chain import lane_count
from audit.events import Event
from audit.findings import DamageKind
from audit.models import Checkpoint, LoginAttempt, SecurityEvent
from audit.origin import Origin
from audit.record import record
from audit.retention import RetentionTooShort, purge_trail
from audit.tests.damage import run
from audit.verification import Verification

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def write(days: float, count: int = 1, **columns: Any) -> None:
    for _ in range(count):
        attempt = LoginAttempt.of(Origin("native"), "alice", user_id=None)
        event = SecurityEvent.of(Origin("native"), Event.USER_CHANGED, user_id=1)
        attempt.at = event.at = NOW - timedelta(days=days)
        record(attempt, event)


def verified() -> dict[str, str]:
    verification = Verification()
    for _ in verification.run():
        pass
    return {kind.value: text for kind, text in verification.findings.first.items()}


def purge(days: int = 400, **options: Any) -> dict[str, int]:
    """Purge and return the counts."""
    *_, counts = purge_trail(NOW, days, **options)
    return counts


def kept() -> tuple[int, int]:
    return LoginAttempt.objects.count(), SecurityEvent.objects.count()


@pytest.fixture
def one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.chain.secrets.randbelow", lambda _: 0)


def test_rows_past_retention_go_from_every_lane_and_the_trail_stays_intact() -> None:
    write(401, 30)
    write(399, 30)
    assert purge() == {"attempt": 30, "event": 30}
    assert (kept(), verified()) == ((30, 30), {})
    assert Checkpoint.objects.count() <= lane_count()


def test_a_second_purge_removes_nothing() -> None:
    write(401, 3)
    purge()
    assert purge() == {"attempt": 0, "event": 0}


def test_a_dry_run_counts_and_removes_nothing() -> None:
    write(401, 3)
    assert purge(dry_run=True) == {"attempt": 3, "event": 3}
    assert (kept(), Checkpoint.objects.count()) == ((3, 3), 0)


def test_a_lane_goes_on_after_it_was_purged_to_its_end(one_lane: None) -> None:
    write(401)
    purge()
    write(0)
    assert (kept(), verified()) == ((1, 1), {})


def test_a_row_behind_a_younger_one_waits_for_it(one_lane: None) -> None:
    for days in (401, 300, 401):
        write(days)
    assert purge() == {"attempt": 1, "event": 1}
    assert verified() == {}


def test_an_interrupted_purge_leaves_the_trail_intact_and_the_next_one_goes_on(
    one_lane: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    write(401, 10)
    batches = purge_trail(NOW, 400)
    assert next(batches) == {"attempt": 2, "event": 2}
    assert (kept(), verified()) == ((8, 8), {})
    assert purge() == {"attempt": 8, "event": 8}
    assert (kept(), verified()) == ((0, 0), {})


def test_rows_without_a_seal_go_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in (401, 401, 401, 399):
        LoginAttempt.objects.create(contract="native", identifier="alice", at=NOW - timedelta(days=days))
    assert purge() == {"attempt": 3, "event": 0}
    assert kept() == (1, 0)


@pytest.mark.parametrize("days", [179, 0, -1])
def test_less_than_half_a_year_is_refused(days: int) -> None:
    with pytest.raises(RetentionTooShort):
        purge(days)


class TestDamage:
    @pytest.fixture(autouse=True)
    def _purged(self, one_lane: None) -> None:
        write(401, 3)
        write(300, 3)
        purge()

    def test_a_purge_that_took_too_much_is_named(self) -> None:
        run("DELETE FROM audit_loginattempt WHERE number <= 8")
        run("DELETE FROM audit_securityevent WHERE number <= 8")
        assert verified() == {"removed": "lane 0, numbers 7 to 8"}

    @pytest.mark.parametrize(
        "change", ["number = 8", "until = at", "key_name = 'x'", "at = until", "mac = seal", "lane = 0, number = 5"]
    )
    def test_a_changed_checkpoint_is_named(self, change: str) -> None:
        run(f"UPDATE audit_checkpoint SET {change}")
        assert "its seal is false" in verified()["checkpoint"]

    def test_a_removed_checkpoint_is_named(self) -> None:
        run("DELETE FROM audit_checkpoint")
        assert verified() == {"removed": "lane 0, numbers 1 to 6"}

    def test_a_purge_of_rows_that_must_be_kept_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checkpoint = Checkpoint.objects.get()
        monkeypatch.setattr(retention, "LEAST_RETENTION", timedelta())
        run("DELETE FROM audit_checkpoint")
        with connection.cursor():
            retention.store_checkpoint(0, checkpoint.number, bytes(checkpoint.mac), NOW - timedelta(days=179), NOW)
        assert verified() == {"checkpoint": "lane 0: purged up to 6: rows younger than 180 days are gone"}

    def test_a_row_put_back_behind_the_checkpoint_is_named(self) -> None:
        run("UPDATE audit_loginattempt SET number = 3 WHERE number = 11")
        found = verified()
        assert (found["removed"], "outside its numbers" in found["inserted"]) == ("lane 0, numbers 11 to 11", True)


def overtaken(verification: Verification) -> Iterator[int]:
    """Verify while a purge runs after the first window."""
    steps = verification.run()
    yield next(steps)
    purge()
    yield from steps


def test_a_verification_that_a_purge_overtakes_finds_no_damage(one_lane: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.verification.WINDOW", 2)
    write(401, 5)
    write(300, 5)
    verification = Verification()
    assert len([*overtaken(verification)]) > 1
    assert (verification.findings.counts, verification.rows) == ({}, 12)


def test_a_false_checkpoint_that_appears_during_a_verification_is_named(
    one_lane: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.verification.WINDOW", 2)
    write(401, 5)
    verification = Verification()
    steps = verification.run()
    next(steps)
    for table in ("audit_loginattempt", "audit_securityevent"):
        run(f"DELETE FROM {table} WHERE number <= 6")
    false = {"until": NOW - timedelta(days=400), "at": NOW, "key_name": "x", "seal": b"x"}
    Checkpoint.objects.create(lane=0, number=6, mac=LoginAttempt.objects.get(number=7).mac, **false)
    assert [*steps][-1:] != []
    assert "its seal is false" in verification.findings.first[DamageKind.CHECKPOINT]
