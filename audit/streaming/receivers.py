"""Receivers of the trail: syslog over TCP and TLS (RFC 6587, RFC 5425), and JSON lines over HTTPS."""

import base64
import fcntl
import http.client
import socket
import ssl
import struct
import termios
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from audit.models import Entry
from audit.streaming.formats import as_json, as_syslog

_TIMEOUT_SECONDS: Final = 10.0
_PORTS: Final = {"syslog+tcp": 514, "syslog+tls": 6514, "https": 443}
# Syslog has no acknowledgement: rows count as received if the connection still exists this long after they left.
_SYSLOG_SETTLED: Final = timedelta(seconds=5)


class Receiver(Protocol):
    """Where rows go. `settled_after` is how long after `send` rows count as received while `check` passes."""

    settled_after: timedelta

    def send(self, entries: Sequence[Entry]) -> None:
        """Send rows. Raises OSError."""

    def check(self) -> bool:
        """Return whether all that was sent has left this machine. Raises OSError where the connection is lost."""

    def close(self) -> None:
        """Close the connection; the next `send` opens another."""


class Syslog:
    settled_after = _SYSLOG_SETTLED

    def __init__(self, url: SplitResult) -> None:
        self._address = (url.hostname or "", url.port or _PORTS[url.scheme])
        self._tls = ssl.create_default_context() if url.scheme == "syslog+tls" else None
        self._socket: socket.socket | None = None

    def send(self, entries: Sequence[Entry]) -> None:
        self._connected().sendall(b"".join(map(as_syslog, entries)))

    def check(self) -> bool:
        if self._socket is None:
            return True
        self._require_open(self._socket)
        unacknowledged = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return not struct.unpack("i", unacknowledged)[0]

    def close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            plain = socket.create_connection(self._address, timeout=_TIMEOUT_SECONDS)
            try:
                self._socket = self._tls.wrap_socket(plain, server_hostname=self._address[0]) if self._tls else plain
            except BaseException:
                plain.close()
                raise
        return self._socket

    @staticmethod
    def _require_open(connection: socket.socket) -> None:
        """Raise ConnectionError where the receiver has closed the connection. What it says is of no interest."""
        connection.settimeout(0)
        try:
            if connection.recv(1024) == b"":
                raise ConnectionResetError("The receiver has closed the connection.")
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        finally:
            connection.settimeout(_TIMEOUT_SECONDS)


class JsonLines:
    # The status says that the receiver has the rows.
    settled_after = timedelta(0)

    def __init__(self, url: SplitResult) -> None:
        self._host, self._port = url.hostname or "", url.port or _PORTS[url.scheme]
        self._path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._tls = ssl.create_default_context()
        self._headers = {"Content-Type": "application/x-ndjson", **_authorization(url)}

    def send(self, entries: Sequence[Entry]) -> None:
        body = b"".join(as_json(entry) + b"\n" for entry in entries)
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS, context=self._tls)
        try:
            connection.request("POST", self._path, body, self._headers)
            status = connection.getresponse().status
        except http.client.HTTPException as error:
            raise ConnectionError(f"The response is not valid HTTP: {type(error).__name__}.") from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise ConnectionError(f"The receiver answered {status}.")

    def check(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: each request has a connection of its own."""


def receiver_of(url: str) -> Receiver:
    """Return the receiver at a URL that the configuration has validated."""
    parts = urlsplit(url)
    return JsonLines(parts) if parts.scheme == "https" else Syslog(parts)


def destination_of(url: str) -> str:
    """Return a URL without credentials."""
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path}"


def _authorization(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
