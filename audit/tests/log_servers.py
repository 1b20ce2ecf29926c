"""Receivers of the stream of the trail, on real sockets."""

import http.server
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_FRAME = re.compile(rb"(\d+) ")
HEADER = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) - (attempt|event) - (.*)", re.DOTALL)


class SyslogServer:
    """A receiver of octet-counted messages."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.messages: list[bytes] = []
        self._tls = tls
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._received = threading.Condition()
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            if self._tls:
                try:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._read, args=[connection]))
            self._threads[-1].start()

    def _read(self, connection: socket.socket) -> None:
        data = b""
        while True:
            try:
                part = connection.recv(65536)
            except OSError:
                break
            if not part:
                break
            data += part
            while (frame := _FRAME.match(data)) and len(data) >= frame.end() + int(frame[1]):
                end = frame.end() + int(frame[1])
                with self._received:
                    self.messages.append(data[frame.end() : end])
                    self._received.notify_all()
                data = data[end:]
        connection.close()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        with self._received:
            assert self._received.wait_for(lambda: len(self.messages) >= count, timeout=10), self.messages
        return self.rows()

    def rows(self) -> list[dict[str, Any]]:
        found = [HEADER.fullmatch(message.decode("ascii")) for message in self.messages]
        return [json.loads(match[6]) for match in found if match]

    def close(self) -> None:
        for each in (self._listener, *self._connections):
            # It wakes the thread that waits for the socket; another may have closed it.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._connections):
            each.close()


@contextmanager
def https_server(context: ssl.SSLContext, statuses: list[int]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Yield the URL of a server that answers with these statuses, and the requests that it got."""
    requests: list[tuple[Any, ...]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, self.headers["Authorization"], self.headers["Content-Type"], body))
            self.send_response(statuses[len(requests) - 1])
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://reader:s%40cret@127.0.0.1:{server.server_port}/trail?from=authsvc", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
