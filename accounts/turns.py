"""Turns of threads: a few work at a time, and one that has to wait lets another one work.

Python runs one thread of a process at a time. Many that are ready to run take the interpreter's lock from each other at
each step, which costs more than most requests do.
"""

import threading

from accounts.transactions import release_connection

_thread = threading.local()


class Turns:
    """Lets `size` threads work at a time.

    Of those that wait the last one is the next: what it needs is still in the processor's cache, and a thread that is
    never needed takes no memory.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._granted = size
        self._free = size
        self._lock = threading.Lock()
        # A lock for each thread that waits, which it waits for.
        self._waiting: list[threading.Lock] = []

    @property
    def is_own(self) -> bool:
        """Whether this thread has a turn."""
        return getattr(_thread, "turns", None) is self

    def begin(self) -> None:
        """Wait for a turn."""
        turn = threading.Lock()
        with self._lock:
            if self._free:
                self._free -= 1
            else:
                turn.acquire()
                self._waiting.append(turn)
        turn.acquire()
        _thread.turns = self

    def end(self) -> None:
        """Let another thread work instead of this one, if this one has a turn."""
        if self.is_own:
            _thread.turns = None
            with self._lock:
                self._grant()

    def add(self) -> None:
        """Let one thread more work, because those that do are held up, unless a turn is free."""
        with self._lock:
            if not self._free:
                self._granted += 1
                self._grant()

    def take_back(self) -> None:
        """End this thread's turn for good, if more were added than there are of right."""
        if self._granted > self._size and self.is_own:
            with self._lock:
                if self._granted > self._size:
                    self._granted -= 1
                    _thread.turns = None
                    release_connection()

    def _grant(self) -> None:
        """Give a turn to a thread that waits; the caller holds the lock."""
        if self._waiting:
            self._waiting.pop().release()
        else:
            self._free += 1


def has_turn() -> bool:
    """Return whether this thread is one of few that work at a time."""
    return getattr(_thread, "turns", None) is not None


def prepare_to_wait() -> None:
    """Give up what others could use while this thread waits: its turn, and its connection of the pool."""
    release_connection()
    end_turn()


def end_turn() -> None:
    """Let another thread work while this one waits for the database; it ends its request beside that one."""
    turns: Turns | None = getattr(_thread, "turns", None)
    if turns is not None:
        turns.end()
