"""Parallel attempts at one identifier from one address: how many a process takes up, and what the others cost."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from types import SimpleNamespace

import pytest

from accounts.models import User
from accounts.policies import HASHING_PLACES, REFUSAL_PAUSE, REFUSAL_PAUSES
from accounts.services import attempts
from accounts.tests.tools import ELSEWHERE, HERE, Api, captured_statements

pytestmark = pytest.mark.django_db

LIMIT = 1 + HASHING_PLACES
KEY = (HERE, "username_key", "alice")
PAUSE = REFUSAL_PAUSE.total_seconds()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds of each pause, none of which is waited for."""
    seconds: list[float] = []
    monkeypatch.setattr(attempts, "time", SimpleNamespace(monotonic=time.monotonic, sleep=seconds.append))
    return seconds


@pytest.fixture
def all_taken(alice: User, pauses: list[float]) -> Iterator[None]:
    """Let other attempts at alice's name be under way."""
    with ExitStack() as taken:
        for _ in range(LIMIT):
            taken.enter_context(attempts._parallel.hold(KEY, LIMIT, timedelta(0)))
        yield


@pytest.mark.usefixtures("all_taken")
def test_an_attempt_without_a_place_is_refused_before_the_first_statement() -> None:
    with captured_statements() as statements:
        response = Api().login()
    assert (response.status_code, response["Retry-After"], statements.sql) == (503, "1", [])


@pytest.mark.usefixtures("all_taken")
def test_attempts_from_elsewhere_and_at_others_have_places(head: User) -> None:
    assert [Api(ELSEWHERE).login().status_code, Api().login("head").status_code] == [200, 200]


def test_a_place_is_free_again_after_its_attempt(alice: User) -> None:
    assert {Api().login().status_code for _ in range(LIMIT + 1)} == {200}


@pytest.mark.usefixtures("all_taken")
def test_parallel_refusals_wait_for_a_moment(pauses: list[float]) -> None:
    Api().login()
    assert pauses == [PAUSE]


def test_a_lock_that_parallel_attempts_meet_waits_too(alice: User, pauses: list[float]) -> None:
    with attempts._parallel.hold(KEY, LIMIT, timedelta(0)):
        assert [Api().login(password="guess").status_code for _ in range(6)] == [401] * 5 + [429]
    assert pauses == [PAUSE]


def test_a_refusal_without_parallel_attempts_does_not_wait(alice: User, pauses: list[float]) -> None:
    assert [Api().login(password="guess").status_code for _ in range(6)] == [401] * 5 + [429]
    assert pauses == []


@pytest.mark.usefixtures("all_taken")
def test_the_refusals_that_wait_leave_threads_for_others(pauses: list[float]) -> None:
    with ExitStack() as waiting:
        for _ in range(REFUSAL_PAUSES):
            waiting.enter_context(attempts._pauses.hold(None, REFUSAL_PAUSES, timedelta(0)))
        assert Api().login().status_code == 503
    assert pauses == []


def test_a_refusal_that_waits_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(attempts, "prepare_to_wait", lambda: calls.append("release"))
    monkeypatch.setattr(attempts, "time", SimpleNamespace(sleep=lambda seconds: calls.append("wait")))
    attempts._pause()
    assert calls == ["release", "wait"]
