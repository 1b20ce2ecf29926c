"""Turns of threads: how many work at a time."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

import pytest

from accounts.turns import Turns, end_turn, has_turn, prepare_to_wait

pytestmark = pytest.mark.any_database

SECONDS = 5
_NOT_YET = 0.05


class Worker:
    """A thread that begins a turn and then does what it is sent, one call after the other."""

    def __init__(self, turns: Turns) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._done: SimpleQueue[bool] = SimpleQueue()
        self._turns = turns
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self._turns.begin()
        self._done.put(self._turns.is_own)
        while call := self._calls.get():
            call()
            self._done.put(self._turns.is_own)

    def works(self) -> bool:
        """Return whether the thread has been given a turn since it was last asked."""
        try:
            return self._done.get(timeout=_NOT_YET)
        except Empty:
            return False

    def does(self, call: Callable[[], None]) -> bool:
        """Return whether the thread has its turn after the call."""
        self._calls.put(call)
        return self._done.get(timeout=SECONDS)

    def stop(self) -> None:
        self._calls.put(None)


@pytest.fixture
def turns() -> Turns:
    return Turns(1)


@pytest.fixture
def first(turns: Turns) -> Iterator[Worker]:
    worker = Worker(turns)
    assert worker.works()
    yield worker
    worker.stop()


@pytest.fixture
def second(turns: Turns, first: Worker) -> Iterator[Worker]:
    worker = Worker(turns)
    assert not worker.works()
    yield worker
    worker.stop()


@pytest.mark.django_db
def test_a_thread_that_prepares_to_wait_lets_another_one_work(first: Worker, second: Worker) -> None:
    assert not first.does(prepare_to_wait)
    assert second.works()


def test_a_thread_that_waits_for_the_database_lets_another_one_work(first: Worker, second: Worker) -> None:
    assert not first.does(end_turn)
    assert second.works()


def test_of_threads_that_wait_the_last_one_is_the_next(turns: Turns, first: Worker, second: Worker) -> None:
    third = Worker(turns)
    assert not third.works()
    first.does(end_turn)
    assert (second.works(), third.works()) == (False, True)
    third.does(end_turn)
    assert second.works()
    third.stop()


def test_a_turn_that_is_added_lets_another_thread_work_beside(turns: Turns, first: Worker, second: Worker) -> None:
    turns.add()
    assert second.works()
    assert first.does(lambda: None)


def test_turns_are_taken_back_until_there_are_as_many_as_of_right(turns: Turns, first: Worker, second: Worker) -> None:
    turns.add()
    assert second.works()
    assert not second.does(turns.take_back)
    assert first.does(turns.take_back)


def test_no_turn_is_added_to_one_that_is_free(turns: Turns) -> None:
    turns.add()
    worker, other = Worker(turns), Worker(turns)
    assert sorted([worker.works(), other.works()]) == [False, True]
    worker.stop()
    other.stop()


def test_a_thread_without_a_turn_ends_none(turns: Turns, first: Worker, second: Worker) -> None:
    turns.end()
    assert not second.works()
    assert first.does(lambda: None)


def test_of_threads_one_with_a_turn_says_so(turns: Turns) -> None:
    before = has_turn()
    turns.begin()
    during = has_turn()
    turns.end()
    assert (before, during, has_turn()) == (False, True, False)
