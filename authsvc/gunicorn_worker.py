"""gunicorn's worker with threads, which answers the liveness probe however many threads wait for the database.

Each request takes one of a fixed number of threads; while all of them wait, another request waits for a thread. An
orchestrator would take that for a dead process and kill it with the requests that it serves.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from authsvc import draining

_PROBE: Final = b"GET /healthz "
# A connection that has sent nothing for so long is closed.
_SILENCE_SECONDS: Final = 5


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types.
    """Has a thread more than `--threads`, for the liveness probe alone; says when it stops that it does."""

    def init_process(self) -> None:
        self.probe_thread = ThreadPoolExecutor(max_workers=1)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Wait for the first bytes of a connection without a thread, because they say which thread it needs."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.timeout = time.monotonic() + _SILENCE_SECONDS
        self.pending_conns.append(connection)
        self.poller.register(client, EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def enqueue_req(self, connection: TConn) -> None:
        if not _is_probe(connection.sock):
            super().enqueue_req(connection)
            return
        done = self.probe_thread.submit(self.handle, connection)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, connection, future))

    def handle_exit(self, sig: int, frame: Any) -> None:
        draining.begin()
        super().handle_exit(sig, frame)


def _is_probe(client: socket.socket) -> bool:
    try:
        return client.recv(len(_PROBE), socket.MSG_PEEK | socket.MSG_DONTWAIT) == _PROBE
    except (OSError, ValueError):
        # Nothing to read yet, the end of the connection, or TLS.
        return False
