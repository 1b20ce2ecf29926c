"""The circuit breaker of a database: while the server does not answer, statements fail at once instead of waiting.

A server that is stopped or cut off keeps its connections, so that neither an error nor a time limit of its own ends a
statement. Who has waited for long asks the breaker, which asks the server over a connection of its own.
"""

import logging
import select
import threading
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

# While a statement takes longer, another thread of the process works.
LONG_SECONDS: Final = 0.002
# A statement that has waited so long is suspicious; it goes on if the server answers the breaker.
SUSPICIOUS_SECONDS: Final = 2.0
# How long the breaker waits for an answer before it opens, and afterwards for the server's first sign of life.
ANSWER_SECONDS: Final = 2.0
_RETURN_SECONDS: Final = 30.0
# The pause between two attempts to reach a server that refuses or cannot be reached.
_PAUSE_SECONDS: Final = 1.0

NOT_ANSWERING: Final = "The database server does not answer."

# Takes how many seconds to wait, and returns whether the server has answered in them.
Probe = Callable[[float], bool]


class CircuitBreaker:
    """Open while the server does not answer; a thread of its own notices when it does again, and closes it."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._asking = threading.Lock()
        self._answered_at = 0.0
        self.is_open = False

    def server_answers(self) -> bool:
        """Ask the server, and open the breaker where it does not answer; threads that ask together ask once."""
        came_at = time.monotonic()
        with self._asking:
            if self.is_open:
                return False
            if self._answered_at >= came_at:
                return True
            if self._probe(ANSWER_SECONDS):
                self._answered_at = time.monotonic()
                return True
            self.is_open = True
        logger.error("%s Until it does, requests that need it are refused at once.", NOT_ANSWERING)
        threading.Thread(target=self._wait_for_return, name="database-breaker", daemon=True).start()
        return False

    def _wait_for_return(self) -> None:
        while not self._probe(_RETURN_SECONDS):
            time.sleep(_PAUSE_SECONDS)
        self.is_open = False
        logger.warning("The database server answers again.")


def is_readable(file_descriptor: int, seconds: float = 0) -> bool:
    """Return whether something can be read from a socket within so many seconds.

    From a connection that waits for no response this is its end, or a notice of the server.
    """
    poll = select.poll()
    poll.register(file_descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
