"""Connections to PostgreSQL whose statements do not wait for a server that does not answer."""

import os
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

from accounts.turns import end_turn
from authsvc.configuration.breaker import (
    ANSWER_SECONDS,
    LONG_SECONDS,
    NOT_ANSWERING,
    SUSPICIOUS_SECONDS,
    CircuitBreaker,
    is_readable,
)

RV = TypeVar("RV")
# Its host and its port.
Server = tuple[str, str]

# SSLRequest of the frontend/backend protocol: every server answers it with one byte, and logs nothing.
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
_DEFAULT_PORT: Final = "5432"
_SOCKET_FOLDER: Final = "/var/run/postgresql"


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that asks its breaker when a statement has waited for long, and closes if no answer comes.

    `longest_wait` in seconds ends a statement in any case, because a server whose disk hangs answers and never ends it;
    None is for commands that may take hours. `breaker` is open while none of the `servers` answers; a new connection
    leaves out those that are known not to.
    """

    breaker: CircuitBreaker
    servers: tuple[Server, ...]
    longest_wait: float | None = None

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        answering = [server for server in cls.servers if not breaker_of((server,)).is_open]
        if 0 < len(answering) < len(cls.servers):
            kwargs |= {"host": ",".join(host for host, _ in answering), "port": ",".join(port for _, port in answering)}
        return super().connect(*args, **kwargs)

    @property
    def _own_breaker(self) -> CircuitBreaker:
        """The breaker of the server that this connection leads to."""
        if len(self.servers) == 1:
            return self.breaker
        return breaker_of(((self.pgconn.host.decode(), self.pgconn.port.decode()),))

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        with suppress(_WaitTimeout):
            return super().wait(gen, interval, LONG_SECONDS)
        end_turn()
        began = time.monotonic()
        while True:
            try:
                return super().wait(gen, interval, SUSPICIOUS_SECONDS)
            except _WaitTimeout:
                too_long = self.longest_wait is not None and time.monotonic() > began + self.longest_wait
                if too_long or not self._own_breaker.server_answers():
                    self.pgconn.finish()
                    raise psycopg.OperationalError(NOT_ANSWERING) from None

    def is_alive(self) -> bool:
        """Return whether the server still has this idle connection, as far as is known here: nothing is sent."""
        with suppress(psycopg.Error, OSError):
            while is_readable(self.fileno()):
                self.pgconn.consume_input()
            return not self._own_breaker.is_open
        return False


@cache
def breaker_of(servers: tuple[Server, ...]) -> CircuitBreaker:
    """Return the breaker of a server, or of the servers that libpq tries one after another."""
    return CircuitBreaker(lambda seconds: any(_answers(host, port, seconds) for host, port in servers))


def _servers(hosts: str, ports: str) -> tuple[Server, ...]:
    names, given = hosts.split(","), ports.split(",")
    return tuple(zip(names, given if len(given) == len(names) else given[:1] * len(names), strict=True))


def _answers(host: str, port: str, seconds: float) -> bool:
    try:
        with _connect(host or os.environ.get("PGHOST", _SOCKET_FOLDER), port or _DEFAULT_PORT) as connection:
            connection.sendall(_SSL_REQUEST)
            connection.settimeout(seconds)
            return bool(connection.recv(1))
    except OSError:
        return False


def _connect(host: str, port: str) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, int(port)), ANSWER_SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_SECONDS)
    connection.connect(f"{host}/.s.PGSQL.{port}")
    return connection


def connection_class(settings: Mapping[str, Any]) -> type[WatchedConnection]:
    """Return the class of the connections of a database, from Django's settings of it."""
    return _connection_class(str(settings["HOST"]), str(settings["PORT"]), settings["OPTIONS"].get("longest_wait"))


@cache
def _connection_class(hosts: str, ports: str, longest_wait: float | None) -> type[WatchedConnection]:
    servers = _servers(hosts, ports)
    members = {"breaker": breaker_of(servers), "servers": servers, "longest_wait": longest_wait}
    return type("WatchedConnection", (WatchedConnection,), members)
