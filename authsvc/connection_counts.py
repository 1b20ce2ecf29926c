"""How many connections each worker process has, so that none takes most of them."""

import mmap
import struct
import time
from typing import Final

# When the count was noted, on the clock that all processes share, and the count.
_ENTRY: Final = struct.Struct("=dq")
_ENTRIES: Final = 256
# A count that is older is of a process that has ended or hangs.
_VALID_SECONDS: Final = 0.5


class ConnectionCounts:
    """The counts of processes that were forked after this was made, each at the place of its number."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _ENTRY.size * _ENTRIES)

    def note(self, number: int, count: int) -> None:
        """Note how many connections a process has; what it noted before half a second is forgotten."""
        _ENTRY.pack_into(self._memory, _ENTRY.size * (number % _ENTRIES), time.monotonic(), count)

    def fewest_of_others(self, number: int) -> int | None:
        """Return the least count of another process, or None where there is no other."""
        since = time.monotonic() - _VALID_SECONDS
        own = number % _ENTRIES
        entries = enumerate(_ENTRY.iter_unpack(self._memory))
        return min((count for place, (noted, count) in entries if noted > since and place != own), default=None)
