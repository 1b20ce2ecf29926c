import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.tests.races import race
from audit import chain, start
from audit.chain import MissingLanes, lane_count
from audit.models import Lane, LoginAttempt
from audit.origin import Origin
from audit.record import record
from audit.start import create_lanes

pytestmark = pytest.mark.django_db


def write(**columns: object) -> LoginAttempt:
    attempt = LoginAttempt.of(Origin("native"), "alice", user_id=None)
    for name, value in columns.items():
        setattr(attempt, name, value)
    record(attempt)
    return LoginAttempt.objects.get(pk=attempt.pk)


def test_a_row_takes_the_next_number_of_a_lane_and_its_head_follows() -> None:
    row = write()
    (head,) = Lane.objects.filter(number__gt=0)
    assert (head.number, head.last_id, bytes(head.mac)) == (row.number, row.pk, bytes(row.mac or b""))


def test_an_id_is_the_time_in_microseconds_but_for_the_lane() -> None:
    row = write()
    assert 0 <= row.pk - int(row.at.timestamp() * 1_000_000) // 16 * 16 < 16


def test_rows_of_one_time_have_different_ids() -> None:
    now = timezone.now()
    assert len({write(at=now).pk for _ in range(40)}) == 40


def test_an_id_is_exact_in_javascript_for_two_hundred_years() -> None:
    assert (timezone.now() + timedelta(days=200 * 365)).timestamp() * 1_000_000 < 2**53


def test_a_lane_that_another_transaction_has_is_skipped() -> None:
    query = chain.free_lanes(0).query
    assert (query.select_for_update, query.select_for_update_skip_locked) == (True, True)


def test_a_lost_lane_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "lane_count", lambda: 2)
    Lane.objects.all().delete()
    create_lanes()
    Lane.objects.filter(lane=1).delete()
    create_lanes()
    assert [head.lane for head in Lane.objects.all()] == [0]


def test_without_lanes_nothing_is_written() -> None:
    Lane.objects.all().delete()
    with pytest.raises(MissingLanes, match="run `manage"), transaction.atomic():
        write()
    assert not LoginAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_parallel_transactions_take_different_lanes() -> None:
    held = threading.Barrier(lane_count(), timeout=10)

    def take(_: int) -> int:
        with transaction.atomic():
            lane = chain.take().lane
            held.wait()
        return lane

    assert sorted(race(lane_count(), take)) == list(range(lane_count()))
