"""Limits on parallel calls within a process."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from accounts.errors import Overloaded


class ParallelCalls:
    """Counts the calls of this process that are under way, by a key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[Hashable] = Counter()

    def taken(self, key: Hashable) -> int:
        """Return how many places of the key are taken."""
        with self._lock:
            return self._taken[key]

    @contextmanager
    def hold(self, key: Hashable, limit: int, retry_after: timedelta) -> Iterator[None]:
        """Hold one of the key's `limit` places. Raises Overloaded where none is free."""
        with self._lock:
            if self._taken[key] >= limit:
                raise Overloaded(retry_after=retry_after)
            self._taken[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[key] -= 1
                if not self._taken[key]:
                    del self._taken[key]
