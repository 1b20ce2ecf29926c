from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from audit.events import Event, FailureReason
from audit.models import AppendOnly, LoginAttempt, SecurityEvent
from audit.origin import Origin, current_request_id
from audit.record import record

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(origin: Origin) -> LoginAttempt:
    record(LoginAttempt.of(origin, "alice", user_id=None))
    return LoginAttempt.objects.get()


def test_a_row_cannot_be_changed(attempt: LoginAttempt) -> None:
    attempt.status = "failed"
    with pytest.raises(AppendOnly):
        attempt.save()


def test_a_row_cannot_be_deleted(attempt: LoginAttempt) -> None:
    with pytest.raises(AppendOnly):
        attempt.delete()


def test_a_row_cannot_be_overwritten(attempt: LoginAttempt, origin: Origin) -> None:
    forged = LoginAttempt.of(origin, "nobody", user_id=None)
    forged.pk = attempt.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        forged.save()


def test_rows_cannot_be_overwritten_in_bulk(attempt: LoginAttempt) -> None:
    with pytest.raises(AppendOnly):
        LoginAttempt.objects.bulk_create([attempt], update_conflicts=True, update_fields=["status"])


def test_djangos_base_manager_deletes_no_row(attempt: LoginAttempt) -> None:
    with pytest.raises(AppendOnly):
        LoginAttempt._base_manager.all().delete()
    with pytest.raises(AppendOnly):
        LoginAttempt.objects.all()._raw_delete("default")


def test_rows_cannot_be_updated_in_bulk(attempt: LoginAttempt) -> None:
    with pytest.raises(AppendOnly):
        LoginAttempt.objects.update(status="failed")


def test_rows_cannot_be_deleted_in_bulk(attempt: LoginAttempt) -> None:
    with pytest.raises(AppendOnly):
        LoginAttempt.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_a_row_requires_a_transaction(origin: Origin) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        record(LoginAttempt.of(origin, "alice", user_id=None))


def test_the_trail_keeps_the_id_of_a_deleted_user(alice: User, origin: Origin) -> None:
    record(LoginAttempt.of(origin, "alice", user_id=alice.pk))
    number = alice.pk
    alice.delete()
    assert LoginAttempt.objects.get().user_id == number


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("x" * 200, "x" * 150),
        ("a\x00b", "a\\u0000b"),
        ("a\ud800b", "a\\ud800b"),
        ("a\u202eb", "a\\u202eb"),
        ("王医生", "王医生"),
    ],
)
def test_an_identifier_is_truncated_and_escaped(origin: Origin, typed: str, kept: str) -> None:
    record(LoginAttempt.of(origin, typed, user_id=None))
    assert LoginAttempt.objects.get().identifier == kept


def test_a_user_agent_is_truncated_to_its_column(alice: User) -> None:
    record(LoginAttempt.of(Origin("native", None, "x" * 1000), "alice", user_id=None))
    assert LoginAttempt.objects.get().user_agent == "x" * 300


def test_characters_that_no_database_stores_are_removed() -> None:
    record(LoginAttempt.of(Origin("native", None, "Fire\x00fox\ud800"), "alice", user_id=None))
    assert LoginAttempt.objects.get().user_agent == "Firefox"


def test_a_detail_is_kept_as_every_database_returns_it(origin: Origin) -> None:
    detail: dict[str, Any] = {"te\x00xt": ["a\ud800b", 1.5, {"n": None}], "empty": (), "yes": True}
    record(SecurityEvent.of(origin, Event.USER_CHANGED, user_id=1, **detail))
    assert SecurityEvent.objects.get().detail == {"text": ["ab", "1.5", {"n": None}], "empty": [], "yes": True}


def test_a_row_has_its_request_id(origin: Origin) -> None:
    reset = current_request_id.set("ward-7")
    record(SecurityEvent.of(origin, Event.USER_CHANGED, user_id=1))
    current_request_id.reset(reset)
    assert SecurityEvent.objects.get().request_id == "ward-7"


def test_entries_of_a_kind_take_one_statement_and_their_lane_two(
    origin: Origin, django_assert_num_queries: object
) -> None:
    entries = [SecurityEvent.of(origin, Event.ACCOUNT_LOCKED, user_id=n) for n in (1, 2, 3)]
    with django_assert_num_queries(3):  # type: ignore[operator]
        record(*entries)


@pytest.mark.parametrize("name", [*Event, *FailureReason])
def test_a_stored_name_follows_the_grammar(name: str) -> None:
    assert name == name.lower()
    assert len(name) <= 30
