"""This machine's clock against the database's, by which the nodes know that theirs agree.

The other nodes refuse a token that says it was issued more than a minute from now. A node whose clock is that wrong
therefore issues none, instead of tokens that work at one node and not at the next.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from accounts.errors import KeysUnavailable
from accounts.policies import CLOCK_SKEW

_SQL: Final = {"postgresql": "SELECT clock_timestamp()", "mysql": "SELECT UTC_TIMESTAMP(6)"}
# How long a measurement counts, and how far the clock may be set meanwhile, in seconds.
_MEASURED_SECONDS: Final = 60.0
_SET_SECONDS: Final = 1.0


def ahead() -> timedelta | None:
    """Return how far this machine's clock is ahead of the database's, by one statement; None in SQLite's process."""
    sql = _SQL.get(connection.vendor)
    if sql is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(sql)
        moment: datetime = cursor.fetchone()[0]
    return timezone.now() - moment.replace(tzinfo=moment.tzinfo or UTC)


class ClockCheck:
    """Measures once a minute, and at once where the clock was set: it no longer moves with the monotonic one."""

    def __init__(self) -> None:
        self._measured_at = -_MEASURED_SECONDS
        self._started_at = 0.0
        self._ahead: timedelta | None = None

    def require_right(self) -> None:
        """Raise KeysUnavailable where the clocks differ by CLOCK_SKEW or more."""
        now = time.monotonic()
        started_at = time.time() - now
        recent = now - self._measured_at < _MEASURED_SECONDS
        if not recent or abs(started_at - self._started_at) > _SET_SECONDS:
            self._ahead = ahead()
            self._measured_at, self._started_at = now, started_at
        apart = abs(self._ahead or timedelta(0))
        if apart >= CLOCK_SKEW:
            raise KeysUnavailable(
                f"This machine's clock and the database's are {apart.total_seconds():.0f} s apart, so that other nodes "
                "would refuse this one's tokens: let both follow the same time servers."
            )


clock_check: Final = ClockCheck()
