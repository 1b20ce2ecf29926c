"""The breaker: what it asks the server, when it opens, and when it closes again."""

import threading
from collections.abc import Iterator

import pytest

from accounts.tests.races import race
from authsvc.configuration import breaker
from authsvc.configuration.breaker import CircuitBreaker

pytestmark = pytest.mark.any_database


class Server:
    """A server that answers probes while `answers` is set."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = 0
        # The second probe is of the thread that waits for the server's return.
        self.awaited = threading.Event()

    def probe(self, seconds: float) -> bool:
        self.asked += 1
        if self.asked == 2:
            self.awaited.set()
        return self.answers.wait(seconds)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(breaker, "ANSWER_SECONDS", 0.01)
    server = Server()
    yield server
    # The thread that waits for its return ends.
    server.answers.set()


def test_it_stays_closed_while_the_server_answers(server: Server) -> None:
    server.answers.set()
    tested = CircuitBreaker(server.probe)
    assert (tested.server_answers(), tested.is_open) == (True, False)


def test_it_opens_when_the_server_does_not_answer(server: Server) -> None:
    tested = CircuitBreaker(server.probe)
    assert (tested.server_answers(), tested.is_open) == (False, True)


def test_while_it_is_open_nobody_waits_for_an_answer(server: Server) -> None:
    tested = CircuitBreaker(server.probe)
    tested.server_answers()
    assert server.awaited.wait(5)
    assert (tested.server_answers(), server.asked) == (False, 2)


def test_it_closes_when_the_server_answers_again(server: Server) -> None:
    tested, others = CircuitBreaker(server.probe), set(threading.enumerate())
    tested.server_answers()
    (waiting,) = set(threading.enumerate()) - others
    server.answers.set()
    waiting.join(timeout=5)
    assert tested.is_open is False


def test_threads_that_ask_together_ask_once(server: Server) -> None:
    tested = CircuitBreaker(server.probe)
    assert race(8, lambda _: tested.server_answers()) == [False] * 8
    assert server.awaited.wait(5)
    assert server.asked == 2
