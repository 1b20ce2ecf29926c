"""Connections to MariaDB and MySQL whose statements do not wait for a server that does not answer."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

from pymysql.connections import Connection
from pymysql.constants import CR
from pymysql.err import Error, OperationalError

from accounts.turns import end_turn
from authsvc.configuration.breaker import (
    ANSWER_SECONDS,
    LONG_SECONDS,
    NOT_ANSWERING,
    SUSPICIOUS_SECONDS,
    CircuitBreaker,
    is_readable,
)

# Of TCP's keepalive: seconds until the first probe, between probes, and how many may be unanswered. The kernel ends an
# idle connection to a server that has vanished before a request meets it.
_KEEPALIVE: Final = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 3, socket.TCP_KEEPCNT: 3}
# These errors are the client's own; any other comes from a server, which has answered.
_NO_ANSWER: Final = frozenset(
    {CR.CR_CONNECTION_ERROR, CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST}
)


def not_answering() -> OperationalError:
    return OperationalError(CR.CR_SERVER_LOST, NOT_ANSWERING)


class WatchedConnection(Connection):  # type: ignore[misc]  # PyMySQL has no types.
    """A connection that asks its breaker when a response has not begun for long, and closes if no answer comes.

    `longest_wait` in seconds ends a statement in any case; None is for commands that may take hours.
    """

    def __init__(self, *, breaker: CircuitBreaker, longest_wait: float | None, **params: Any) -> None:
        self._breaker = breaker
        self._longest_wait = longest_wait
        super().__init__(**params)

    def connect(self, sock: Any = None) -> None:
        # The server's greeting counts as part of the connection, for which there is another limit.
        limit: float | None = vars(self)["_read_timeout"]
        self._read_timeout: float | None = self.connect_timeout
        super().connect(sock)
        self._read_timeout = limit
        if self._sock.family != socket.AF_UNIX:
            for option, value in _KEEPALIVE.items():
                self._sock.setsockopt(socket.IPPROTO_TCP, option, value)

    def _execute_command(self, command: int, sql: Any) -> None:
        super()._execute_command(command, sql)
        if is_readable(self._sock.fileno(), LONG_SECONDS):
            return
        end_turn()
        began = time.monotonic()
        while not is_readable(self._sock.fileno(), SUSPICIOUS_SECONDS):
            too_long = self._longest_wait is not None and time.monotonic() > began + self._longest_wait
            if too_long or not self._breaker.server_answers():
                self._force_close()
                raise not_answering()

    def is_alive(self) -> bool:
        """Return whether the server still has this idle connection, as far as is known here: nothing is sent."""
        with suppress(OSError):
            return bool(self.open) and not is_readable(self._sock.fileno())
        return False


@cache
def breaker_of(place: tuple[tuple[str, Any], ...]) -> CircuitBreaker:
    """Return the breaker of the server at a place, which is what a connection to it needs."""

    def answers(seconds: float) -> bool:
        # With a login, because MariaDB refuses a host whose connections end too often without one.
        try:
            limits = {"connect_timeout": ANSWER_SECONDS, "read_timeout": seconds, "write_timeout": seconds}
            Connection(**dict(place), **limits).close()
        except Error as error:
            return error.args[0] not in _NO_ANSWER
        return True

    return CircuitBreaker(answers)


def place_of(params: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return of a connection's parameters those that say where the server is and who connects."""
    names = ("host", "port", "unix_socket", "user", "password")
    return tuple((name, params[name]) for name in names if name in params)
