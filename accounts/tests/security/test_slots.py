"""Hashing slots among accounts: who gets one, and who waits."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest

from accounts.errors import Overloaded
from accounts.policies import HASHING_PLACES, LONGEST_WAIT
from accounts.security.slots import Slots

pytestmark = pytest.mark.any_database

PATIENCE = timedelta(seconds=60)


@pytest.fixture
def slots() -> Slots:
    slots = Slots(1)
    # The estimate would refuse a call that has no place among many in a test.
    slots._seconds_each = 0.0
    return slots


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


def until(condition: Callable[[], bool]) -> None:
    """Wait for other threads, ten seconds at most."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def enqueue(slots: Slots, pool: ThreadPoolExecutor, order: list[str], *accounts: str) -> list[Future[None]]:
    """Let these accounts wait for a slot, in this order; each adds its name to `order` when it has one."""

    def hold(account: str) -> None:
        with slots.take(PATIENCE, account):
            order.append(account)

    futures = []
    for account in accounts:
        before = slots.waiting
        futures.append(pool.submit(hold, account))
        until(lambda expected=before + 1: slots.waiting == expected)  # type: ignore[misc]
    return futures


def test_accounts_take_turns(slots: Slots, pool: ThreadPoolExecutor) -> None:
    order: list[str] = []
    with slots.take(account="alice"):
        futures = enqueue(slots, pool, order, *["alice"] * 4, "bob", "carol", "bob")
    for future in futures:
        future.result()
    assert order == ["alice", "bob", "carol", "alice", "bob", "alice", "alice"]


def test_an_account_holds_one_slot_while_another_is_free(pool: ThreadPoolExecutor) -> None:
    slots, order = Slots(2), list[str]()
    with slots.take(account="alice"):
        futures = enqueue(slots, pool, order, "alice")
        with slots.take(account="bob") as waited:
            assert (waited, order) == (False, [])
    for future in futures:
        future.result()
    assert order == ["alice"]


def test_the_ninth_call_of_one_account_is_refused_and_another_account_waits(
    slots: Slots, pool: ThreadPoolExecutor
) -> None:
    order: list[str] = []
    with slots.take(account="alice"):
        futures = enqueue(slots, pool, order, *["alice"] * HASHING_PLACES)
        with pytest.raises(Overloaded) as refused, slots.take(account="alice"):
            pass
        # A call that had waited would name the whole wait.
        assert refused.value.retry_after < LONGEST_WAIT
        futures += enqueue(slots, pool, order, "bob")
    for future in futures:
        future.result()
    assert order.index("bob") == 1


def test_calls_without_an_account_have_turns_of_their_own(slots: Slots, pool: ThreadPoolExecutor) -> None:
    def hold() -> None:
        with slots.take(PATIENCE):
            pass

    with slots.take():
        futures = [pool.submit(hold) for _ in range(2 * HASHING_PLACES)]
        until(lambda: slots.waiting == 2 * HASHING_PLACES)
    for future in futures:
        future.result()


def test_a_call_that_gives_up_leaves_no_place_behind(slots: Slots) -> None:
    with slots.take(account="alice"):
        with pytest.raises(Overloaded), slots.take(timedelta(milliseconds=1), "bob"):
            pass
        assert slots.waiting == 0


def test_slots_say_what_is_taken_and_how_long_a_call_waited(slots: Slots, pool: ThreadPoolExecutor) -> None:
    def hold() -> float:
        with slots.take(PATIENCE, "bob") as waited:
            return waited

    with slots.take(account="alice") as waited:
        future = pool.submit(hold)
        until(lambda: slots.waiting == 1)
        assert (waited, slots.in_use) == (0.0, 1)
    assert 0 < future.result() < 10
    assert slots.in_use == 0


def test_another_account_waits_for_few_hashes_of_32_threads_that_loop() -> None:
    slots = Slots(1)
    starts, waits, done = threading.Barrier(33), list[int](), threading.Event()
    hashes = 0

    def loop() -> None:
        nonlocal hashes
        starts.wait()
        while not done.is_set():
            try:
                with slots.take(PATIENCE, "alice"):
                    hashes += 1
                    done.wait(0.002)
            except Overloaded:
                done.wait(0.001)

    threads = [threading.Thread(target=loop) for _ in range(32)]
    for thread in threads:
        thread.start()
    starts.wait()
    for _ in range(50):
        before = hashes
        with slots.take(PATIENCE, "bob"):
            waits.append(hashes - before)
    done.set()
    for thread in threads:
        thread.join()
    assert max(waits) <= 3
