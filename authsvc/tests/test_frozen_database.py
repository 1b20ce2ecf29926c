"""A database server that is stopped, restarted or slow, as a connection of the service meets it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper as DjangosWrapper

from accounts.turns import Turns, has_turn
from authsvc.configuration import breaker
from authsvc.tests.proxies import Proxy

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server."),
]

POOL_ALONE = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="Only PostgreSQL's connections are in a pool."
)
PORTS = {"postgresql": 5432, "mysql": 3306}
SLEEP = {"postgresql": "SELECT pg_sleep(0.5)", "mysql": "SELECT SLEEP(0.5)"}
# A freeze is noticed in less than this, however slow the machine; without the breaker a second passes each time.
NOTICED_SECONDS = 3
AT_ONCE_SECONDS = 0.5


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"authsvc.configuration.{connection.vendor}.connection"
    monkeypatch.setattr(f"{module}.SUSPICIOUS_SECONDS", 0.1)
    monkeypatch.setattr(f"{module}.ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(breaker, "ANSWER_SECONDS", 1.0)


@contextmanager
def new_proxy() -> Iterator[Proxy]:
    settings = connection.settings_dict
    proxy = Proxy(settings["HOST"] or "127.0.0.1", int(settings["PORT"] or PORTS[connection.vendor]))
    try:
        yield proxy
    finally:
        proxy.thaw()
        for thread in threading.enumerate():
            # It would look for the server without end, in other tests too.
            if thread.name == "database-breaker":
                thread.join(timeout=5)
        proxy.stop()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with new_proxy() as proxy:
        yield proxy


def through(*proxies: Proxy, **options: Any) -> BaseDatabaseWrapper:
    """Return a connection of the service's backend to the test's database through the first proxy that answers."""
    settings = deepcopy(connection.settings_dict)
    settings |= {
        "HOST": ",".join("127.0.0.1" for _ in proxies),
        "PORT": ",".join(str(proxy.port) for proxy in proxies),
    }
    settings["OPTIONS"] |= options
    return type(connections["default"])(settings)


@pytest.fixture
def proxied(proxy: Proxy) -> Iterator[BaseDatabaseWrapper]:
    wrapper = through(proxy)
    yield wrapper
    wrapper.close()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """A turn of this thread, which a statement on a busy machine does not end."""
    monkeypatch.setattr(f"authsvc.configuration.{connection.vendor}.connection.LONG_SECONDS", 5)
    turns = Turns(1)
    turns.begin()
    yield turns
    turns.end()


def run(wrapper: BaseDatabaseWrapper, statement: str = "SELECT 1") -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def fails_within(seconds: float, wrapper: BaseDatabaseWrapper) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        run(wrapper)
    assert time.monotonic() - began < seconds


def next_request(wrapper: BaseDatabaseWrapper) -> None:
    """Do what Django does between two requests."""
    wrapper.close_if_unusable_or_obsolete()


def test_a_frozen_server_is_noticed_then_refused_at_once_and_used_again(
    proxy: Proxy, proxied: BaseDatabaseWrapper
) -> None:
    run(proxied)
    proxy.freeze()
    fails_within(NOTICED_SECONDS, proxied)
    next_request(proxied)
    fails_within(AT_ONCE_SECONDS, proxied)
    proxy.thaw()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        next_request(proxied)
        try:
            assert run(proxied) == (1,)
            return
        except OperationalError:
            time.sleep(0.02)
    pytest.fail("The server was not used again.")


def test_a_frozen_server_is_noticed_by_a_new_connection(
    proxy: Proxy, proxied: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(proxied.settings_dict["OPTIONS"], "connect_timeout", 1)
    proxy.freeze()
    # libpq waits two seconds at least, and then the breaker asks.
    fails_within(NOTICED_SECONDS + 2, proxied)
    next_request(proxied)
    fails_within(AT_ONCE_SECONDS, proxied)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL's URL names several servers.")
def test_of_several_servers_a_frozen_one_is_left_out(proxy: Proxy) -> None:
    with new_proxy() as other:
        wrapper = through(proxy, other)
        run(wrapper)
        proxy.freeze()
        fails_within(NOTICED_SECONDS, wrapper)
        next_request(wrapper)
        began = time.monotonic()
        assert run(wrapper) == (1,)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert wrapper.connection.info.port == other.port
        wrapper.close()


def test_a_slow_statement_of_a_server_that_answers_goes_on(proxied: BaseDatabaseWrapper) -> None:
    assert run(proxied, SLEEP[connection.vendor]) is not None
    assert run(proxied) == (1,)


def test_a_statement_without_end_ends(proxy: Proxy) -> None:
    wrapper = through(proxy, longest_wait=0.2)
    with pytest.raises(OperationalError):
        run(wrapper, SLEEP[connection.vendor])
    wrapper.close()


@pytest.mark.parametrize(("statement", "has_turn_afterwards"), [("SELECT 1", True), ("", False)])
def test_a_thread_that_waits_for_long_lets_another_one_work(
    proxied: BaseDatabaseWrapper,
    turns: Turns,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    has_turn_afterwards: bool,
) -> None:
    monkeypatch.setattr(f"authsvc.configuration.{connection.vendor}.connection.LONG_SECONDS", 0.3)
    # The first statement waits for the connection as well.
    run(proxied)
    if not has_turn():
        turns.begin()
    run(proxied, statement or SLEEP[connection.vendor])
    assert has_turn() is has_turn_afterwards


def test_the_next_request_meets_no_connection_that_the_server_has_closed(
    proxy: Proxy, proxied: BaseDatabaseWrapper
) -> None:
    run(proxied)
    next_request(proxied)
    proxy.close_connections()
    time.sleep(0.1)
    assert run(proxied) == (1,)


@contextmanager
def pooled(proxy: Proxy, size: int) -> Iterator[BaseDatabaseWrapper]:
    wrapper = through(proxy, pool={"min_size": size, "max_size": size, "timeout": 5})
    wrapper.settings_dict |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    try:
        yield wrapper
    finally:
        wrapper.close()
        wrapper.close_pool()  # type: ignore[attr-defined]  # Only PostgreSQL's has a pool.


@POOL_ALONE
def test_the_pool_gives_out_no_connection_that_the_server_has_closed(proxy: Proxy) -> None:
    with pooled(proxy, 4) as wrapper:
        run(wrapper)
        next_request(wrapper)
        wrapper.pool.wait(5)  # type: ignore[attr-defined]  # As above.
        proxy.close_connections()
        time.sleep(0.1)
        for _ in range(8):
            assert run(wrapper) == (1,)
            next_request(wrapper)


@POOL_ALONE
@pytest.mark.parametrize(("size", "has_turn", "kept"), [(6, True, True), (6, False, False), (5, True, False)])
def test_a_thread_keeps_its_connection_of_a_large_pool_while_it_has_a_turn(
    proxy: Proxy, turns: Turns, size: int, has_turn: bool, kept: bool
) -> None:
    if not has_turn:
        turns.end()
    with pooled(proxy, size) as wrapper:
        run(wrapper)
        next_request(wrapper)
        assert (wrapper.connection is not None) is kept


@POOL_ALONE
def test_a_connection_that_was_kept_is_replaced_when_the_server_has_closed_it(proxy: Proxy, turns: Turns) -> None:
    with pooled(proxy, 6) as wrapper:
        run(wrapper)
        next_request(wrapper)
        proxy.close_connections()
        time.sleep(0.1)
        assert run(wrapper) == (1,)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Of the backend for PostgreSQL.")
@pytest.mark.parametrize("value", ["2026-11-22 08:00:00.000001+08", "0044-03-15 12:00:00+00", "9999-12-31 23:59:59+00"])
def test_times_are_read_as_django_reads_them(value: str) -> None:
    read = []
    for wrapper in (connection.copy(), DjangosWrapper({**connection.settings_dict, "OPTIONS": {}})):
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT %s::timestamptz", [value])
            read.append(cursor.fetchone()[0])
        wrapper.close()
    own, djangos = read
    assert (own, own.tzinfo) == (djangos, UTC)
