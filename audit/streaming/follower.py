"""Follows the trail and sends every row to the receiver, at least once."""

import logging
import threading
import time
from collections import deque
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from audit.streaming import rows
from audit.streaming.receivers import Receiver, destination_of, receiver_of

logger = logging.getLogger(__name__)

_POLL: Final = timedelta(seconds=1)
_FIRST_RETRY: Final = timedelta(seconds=1)
_LONGEST_RETRY: Final = timedelta(minutes=1)


class Follower:
    """Sends the trail to one receiver until it is stopped.

    The stored position moves once rows count as received; after a failure and after a start, rows from there on are
    sent again. In memory are one batch of rows, and the positions of the last seconds.
    """

    def __init__(self, destination: str, receiver: Receiver) -> None:
        self._destination, self._receiver = destination, receiver
        self._stopping = threading.Event()
        self._sent: dict[int, int] = {}
        # Positions that were sent and do not count as received yet, each with the time when it was sent.
        self._unsettled: deque[tuple[float, dict[int, int]]] = deque()

    def stop(self) -> None:
        """Make `run` return after the current batch."""
        self._stopping.set()

    def run(self) -> None:
        """Follow until stopped. An absent receiver and an unavailable database are retried."""
        retry, is_new = _FIRST_RETRY, True
        try:
            while not self._stopping.is_set():
                try:
                    close_old_connections()
                    if is_new:
                        self._start()
                        is_new = False
                    if not self.step():
                        self._stopping.wait(_POLL.total_seconds())
                    retry = _FIRST_RETRY
                except (OSError, DatabaseError) as error:
                    is_new = True
                    self._receiver.close()
                    seconds = retry.total_seconds()
                    logger.warning("The trail was not sent; the next attempt is in %d s: %s", seconds, error)
                    self._stopping.wait(seconds)
                    retry = min(_LONGEST_RETRY, 2 * retry)
        finally:
            self._receiver.close()
            connection.close()

    def _start(self) -> None:
        self._unsettled.clear()
        self._sent = rows.stored_position(self._destination)

    def step(self) -> bool:
        """Settle what counts as received, and send the next batch; return whether there was one. Raises OSError."""
        self._settle()
        batch = rows.next_batch(self._sent)
        if not batch:
            return False
        self._receiver.send(batch)
        last = batch[-1]
        self._sent = {**self._sent, int(last.lane or 0): last.pk}
        self._unsettled.append((time.monotonic(), self._sent))
        self._settle()
        return True

    def _settle(self) -> None:
        if not self._receiver.check():
            return
        before = time.monotonic() - self._receiver.settled_after.total_seconds()
        settled = None
        while self._unsettled and self._unsettled[0][0] <= before:
            settled = self._unsettled.popleft()[1]
        if settled:
            rows.store_position(self._destination, settled)


def follower() -> Follower:
    """Return the follower for AUDIT_STREAM_URL, which must be set."""
    url = settings.AUDIT_STREAM_URL
    return Follower(destination_of(url), receiver_of(url))
