"""gunicorn's worker with threads, which take the requests from the kernel themselves.

In gunicorn's own worker a main thread hands each request to a thread and takes its connection back, and as many threads
run as there are requests; together that costs as much as a short request does. Here a thread that has answered takes
the next request itself, and one that waits for a hash, or for long for the database, lets another one work.

The liveness probe is answered however many threads wait: an orchestrator would take the process for dead and kill it
with the requests that it serves.
"""

import re
import select
import socket
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from gunicorn.workers.base import Worker as BaseWorker
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from accounts.turns import Turns, prepare_to_wait
from authsvc import draining
from authsvc.connection_counts import ConnectionCounts

_PROBE: Final = b"GET /healthz "
# How many threads work at a time. Each more would save a request no time, but take it from the others: Python runs one.
_WORKING: Final = 1
# Threads that have worked for so long without an answer are held up.
_HELD_UP_SECONDS: Final = 0.05
# A connection that has sent nothing for so long is closed; so is one that does not close after the last answer.
_SILENCE_SECONDS: Final = 5
_LINGER_SECONDS: Final = 2
_ONCE: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLONESHOT
_PEEK: Final = socket.MSG_PEEK | socket.MSG_DONTWAIT
_PEEK_BYTES: Final = 8_192
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
# So long a connection is left to a worker that has fewer.
_PATIENCE_SECONDS: Final = 0.005
# The main thread looks after what is not urgent so often.
_CHORES_SECONDS: Final = 1
# gunicorn's master loads this module, so that all workers share it.
_COUNTS: Final = ConnectionCounts()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types.
    """Serves by `--threads` threads, of which one works at a time; says when it stops that it does."""

    def init_process(self) -> None:
        self._prepare()
        BaseWorker.init_process(self)

    def _prepare(self) -> None:
        self.readiness = select.epoll()
        # Connections whose next request or whose end is awaited, by file descriptor. Whoever takes one out serves it.
        self.keepalived_conns: dict[int, TConn] = {}
        self.closing: set[TConn] = set()
        self.open: set[TConn] = set()
        # Connections with a request that the main thread found and no thread could serve.
        self.set_aside: deque[TConn] = deque()
        self.turns = Turns(_WORKING)
        # How often a thread has asked for a connection, and the threads that wait for one.
        self.polls = 0
        self.pollers: set[int] = set()
        self._accepting = False
        self._accept_lock = threading.Lock()
        # Whether a connection was left to a worker that has fewer.
        self._has_declined = False
        self._next_chores = 0.0
        self.probe_thread = ThreadPoolExecutor(max_workers=1)
        self.listeners = {listener.fileno(): listener for listener in self.sockets}

    def handle_exit(self, sig: int, frame: Any) -> None:
        draining.begin()
        self.alive = False

    def handle_quit(self, sig: int, frame: Any) -> None:
        BaseWorker.handle_quit(self, sig, frame)

    def run(self) -> None:
        """Start the threads, and watch over them until the worker stops."""
        for listener in self.sockets:
            listener.setblocking(False)
        self.set_accept_enabled(True)
        for _ in range(self.cfg.threads):
            threading.Thread(target=self._work, daemon=True).start()
        while self.alive and self.is_parent_alive():
            self._watch()
        self.set_accept_enabled(False)
        stopped = time.monotonic()
        while self.open and time.monotonic() < stopped + self.cfg.graceful_timeout:
            self._watch()
            self._close_silent(time.monotonic() > stopped + STOP_KEEPALIVE_LINGER)

    def set_accept_enabled(self, enabled: bool) -> None:
        with self._accept_lock:
            if enabled == self._accepting:
                return
            for number in self.listeners:
                if enabled:
                    self.readiness.register(number, select.EPOLLIN)
                else:
                    self.readiness.unregister(number)
            self._accepting = enabled

    def _watch(self) -> None:
        """Wait a moment, and find out whether the threads that work are held up."""
        polls = self.polls
        time.sleep(_HELD_UP_SECONDS)
        if polls == self.polls and not self.pollers:
            self.turns.add()
            self._answer_probes()
        if self.alive:
            _COUNTS.note(self.age, len(self.open))
            self._has_declined &= not self._accepting
            self.set_accept_enabled(len(self.open) < self.worker_connections)
        if (now := time.monotonic()) >= self._next_chores:
            self._next_chores = now + _CHORES_SECONDS
            self.notify()
            self._close_silent()

    def _answer_probes(self) -> None:
        """Have the liveness probe answered, and set aside what else has arrived."""
        while found := self._poll(0):
            for connection in filter(None, found):
                if _received(connection.sock).startswith(_PROBE):
                    self.probe_thread.submit(self._serve, connection)
                else:
                    self.set_aside.append(connection)

    def _close_silent(self, all_of_them: bool = False) -> None:
        now = time.monotonic()
        for number, connection in list(self.keepalived_conns.items()):
            if (all_of_them or connection.timeout < now) and self.keepalived_conns.pop(number, None):
                self._close(connection)

    def _work(self) -> None:
        """Serve one connection after the other, in the turns of this thread."""
        while True:
            self.turns.begin()
            while self.turns.is_own:
                for connection in filter(None, self._next()):
                    self._serve(connection)
                self.turns.take_back()

    def _next(self) -> list[TConn | None]:
        try:
            return [self.set_aside.popleft()]
        except IndexError:
            pass
        self.polls += 1
        own = threading.get_ident()
        self.pollers.add(own)
        leaves_one = self._has_declined and not self._accepting
        found = self._poll(_PATIENCE_SECONDS if leaves_one else None)
        self.pollers.discard(own)
        if leaves_one:
            self.set_accept_enabled(self.alive)
        return found

    def _poll(self, seconds: float | None = None) -> list[TConn | None]:
        """Return what has become ready, at most one: a connection with a request, or None for one that was accepted."""
        found: list[TConn | None] = []
        for number, _events in self.readiness.poll(seconds, 1):
            if number in self.listeners:
                self._accept(self.listeners[number])
            found.append(self.keepalived_conns.pop(number, None))
        return found

    def _accept(self, listener: socket.socket) -> None:
        """Accept a connection, or leave it for a moment to a worker that has fewer."""
        fewest = _COUNTS.fewest_of_others(self.age)
        if fewest is not None and len(self.open) > fewest and not self._has_declined:
            self._has_declined = True
            self.set_accept_enabled(False)
            return
        self._has_declined = False
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # The process has no file descriptor left, for example.
            self.log.warning("A connection could not be accepted: %s", error)
            time.sleep(_HELD_UP_SECONDS)
            return
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.data_ready = True
        self.open.add(connection)
        _COUNTS.note(self.age, len(self.open))
        self._await(connection, _SILENCE_SECONDS, self.readiness.register)

    def _await(self, connection: TConn, seconds: float, arm: Any) -> None:
        connection.timeout = time.monotonic() + seconds
        number = connection.sock.fileno()
        self.keepalived_conns[number] = connection
        arm(number, _ONCE)

    def _serve(self, connection: TConn) -> None:
        """Answer what the connection has sent, and have it wait for more, or for its end."""
        if connection in self.closing:
            self._close(connection)
            return
        if not _is_complete(_received(connection.sock)):
            # To read the rest may take long.
            prepare_to_wait()
        while goes_on := self.handle(connection):
            # What was read ahead does not make the socket readable.
            if not connection.parser.unreader.buf.getvalue():
                break
        try:
            if goes_on:
                self._await(connection, self.cfg.keepalive, self.readiness.modify)
            else:
                # Its end is awaited, because unread bytes would make the kernel throw the answer away (RFC 9112, 9.6).
                connection.sock.shutdown(socket.SHUT_WR)
                self.closing.add(connection)
                self._await(connection, _LINGER_SECONDS, self.readiness.modify)
        except (OSError, ValueError):
            self._close(connection)

    def _close(self, connection: TConn) -> None:
        self.open.discard(connection)
        self.closing.discard(connection)
        connection.close()


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(_PEEK_BYTES, _PEEK)
    except (OSError, ValueError):
        # Nothing to read yet, the end of the connection, or TLS.
        return b""


def _is_complete(received: bytes) -> bool:
    """Return whether a request, as far as it has arrived, is whole."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end or _CHUNKED.search(head):
        return False
    length = _LENGTH.search(head)
    return not length or len(body) >= int(length[1])
