"""A fair limit on parallel hashes: accounts take turns, so that the queue of one does not hold up the others."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from prometheus_client import Gauge, Histogram

from accounts.errors import Overloaded
from accounts.policies import HASHING_PLACES, LONGEST_WAIT
from accounts.turns import prepare_to_wait

WAIT: Final = Histogram(
    "authsvc_hashing_wait_seconds",
    "How long calls waited for a hashing slot, without calls that were refused.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2),
)
IN_USE: Final = Gauge("authsvc_hashing_slots_in_use", "Hashing slots that are taken.", multiprocess_mode="livesum")


class Slots:
    """A limit on parallel hashes; a call that would wait too long is refused at once.

    An account holds at most one slot and `places` places in the queue. A free slot goes to the account that has waited
    longest for a turn, and within an account to the call that came first. A call without an account has a turn of its
    own. The limits are those of one process.
    """

    def __init__(self, size: int, places: int = HASHING_PLACES) -> None:
        self.size = size
        self.places = places
        self._free = size
        self._lock = threading.Lock()
        self._holders: set[Hashable] = set()
        # The calls that wait, by account; the account whose turn is next comes first.
        self._queues: OrderedDict[Hashable, deque[threading.Event]] = OrderedDict()
        self._seconds_each = 0.02

    @contextmanager
    def take(self, wait: timedelta = LONGEST_WAIT, account: Hashable | None = None) -> Iterator[float]:
        """Hold a slot; yields how many seconds the call waited for it, 0 if it did not. Raises Overloaded."""
        holder = object() if account is None else account
        waited = self._acquire(holder, wait)
        WAIT.observe(waited)
        IN_USE.inc()
        try:
            yield waited
        finally:
            IN_USE.dec()
            self._release(holder)

    @property
    def in_use(self) -> int:
        """How many slots are taken."""
        return self.size - self._free

    @property
    def waiting(self) -> int:
        """How many calls wait for a slot."""
        with self._lock:
            return sum(len(queue) for queue in self._queues.values())

    def note(self, seconds: float) -> None:
        """Count the processor time of one hash in the estimate: a moving average, so that no single one decides."""
        with self._lock:
            self._seconds_each += (seconds - self._seconds_each) / 8

    def _acquire(self, holder: Hashable, wait: timedelta) -> float:
        with self._lock:
            # A free slot is one that no waiting account may take.
            if self._free and holder not in self._holders:
                self._grant(holder)
                return 0.0
            turn = self._queue(holder, wait)
        started = time.monotonic()
        prepare_to_wait()
        if not turn.wait(wait.total_seconds()):
            self._leave(holder, turn, wait)
        return time.monotonic() - started

    def _queue(self, holder: Hashable, wait: timedelta) -> threading.Event:
        """Take a place in the queue; the caller holds the lock. Raises Overloaded."""
        own = len(self._queues.get(holder, ())) + 1
        before = sum(min(len(queue), own) for other, queue in self._queues.items() if other != holder)
        expected = timedelta(seconds=self._seconds_each * max(own, (before + own) / self.size))
        if own > self.places or expected > wait:
            raise Overloaded(retry_after=expected)
        turn = threading.Event()
        self._queues.setdefault(holder, deque()).append(turn)
        return turn

    def _leave(self, holder: Hashable, turn: threading.Event, wait: timedelta) -> None:
        """Give the place up after the wait, unless the slot was granted meanwhile. Raises Overloaded."""
        with self._lock:
            if turn.is_set():
                return
            queue = self._queues[holder]
            queue.remove(turn)
            if not queue:
                del self._queues[holder]
        raise Overloaded(retry_after=wait)

    def _grant(self, holder: Hashable) -> None:
        self._free -= 1
        self._holders.add(holder)

    def _release(self, holder: Hashable) -> None:
        with self._lock:
            self._free += 1
            self._holders.discard(holder)
            while self._free and (following := self._following()) is not None:
                self._grant(following)
                self._queues[following].popleft().set()
                # The account's next call waits for a turn of every other account.
                self._queues.move_to_end(following)
                if not self._queues[following]:
                    del self._queues[following]

    def _following(self) -> Hashable | None:
        """Return the account whose turn it is, or None where no waiting account may take a slot."""
        return next((holder for holder in self._queues if holder not in self._holders), None)
