"""How workers share the connections that arrive."""

import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from authsvc import connection_counts, gunicorn_worker
from authsvc.connection_counts import ConnectionCounts
from authsvc.gunicorn_worker import Worker

pytestmark = pytest.mark.any_database

OWN, OTHER = 1, 2


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> ConnectionCounts:
    counts = ConnectionCounts()
    monkeypatch.setattr(gunicorn_worker, "_COUNTS", counts)
    return counts


@pytest.fixture
def worker(counts: ConnectionCounts) -> Iterator[Worker]:
    """A worker whose threads do not run; its listener accepts connections on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        worker = Worker(OWN, 0, [listener], None, 30, Config(), None)
        worker._prepare()
        worker.set_accept_enabled(True)
        yield worker
        for connection in list(worker.open):
            worker._close(connection)
        worker.readiness.close()
        worker.tmp.close()


def connect(worker: Worker) -> socket.socket:
    return socket.create_connection(worker.sockets[0].getsockname())


def test_a_worker_accepts_a_connection_while_no_other_has_fewer(worker: Worker, counts: ConnectionCounts) -> None:
    counts.note(OTHER, 0)
    with connect(worker):
        worker._poll(1)
    assert (len(worker.open), counts.fewest_of_others(OTHER)) == (1, 1)


def test_a_worker_leaves_a_connection_to_one_that_has_fewer(worker: Worker, counts: ConnectionCounts) -> None:
    with connect(worker), connect(worker):
        worker._poll(1)
        counts.note(OTHER, 0)
        worker._poll(1)
        assert len(worker.open) == 1
        assert worker._poll(0) == []


def test_a_worker_takes_a_connection_that_no_other_has_taken(worker: Worker, counts: ConnectionCounts) -> None:
    with connect(worker), connect(worker):
        worker._poll(1)
        counts.note(OTHER, 0)
        worker._poll(1)
        # The other one does not take it meanwhile.
        worker._next()
        worker._next()
        assert len(worker.open) == 2


@pytest.mark.parametrize(("alive", "fewest"), [(True, 0), (False, None)])
def test_connections_are_left_to_a_worker_until_it_stops(
    worker: Worker, counts: ConnectionCounts, alive: bool, fewest: int | None
) -> None:
    worker.alive = alive
    worker._watch()
    assert counts.fewest_of_others(OTHER) == fewest


def test_the_fewest_connections_of_other_processes_are_known(counts: ConnectionCounts) -> None:
    counts.note(OWN, 1)
    assert counts.fewest_of_others(OWN) is None
    counts.note(OTHER, 7)
    counts.note(OTHER + 1, 5)
    assert counts.fewest_of_others(OWN) == 5


def test_the_count_of_a_process_that_has_ended_is_forgotten(
    counts: ConnectionCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts.note(OTHER, 0)
    monkeypatch.setattr(connection_counts, "_VALID_SECONDS", 0)
    assert counts.fewest_of_others(OWN) is None
