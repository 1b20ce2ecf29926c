"""Metrics of the trail. Each of the counters covers the process that serves it, or all of a node's under gunicorn."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter

from audit.events import Status
from audit.models import Entry, LoginAttempt

LOGINS: Final = Counter(
    "authsvc_logins", "Login attempts in the trail, by outcome: success or the reason.", ("contract", "outcome")
)
TRAIL_ROWS: Final = Counter("authsvc_trail_rows", "Rows that were written to the trail.")


def count(entries: Iterable[Entry]) -> None:
    """Count entries that are committed; a row that stands for several attempts counts as often."""
    for entry in entries:
        TRAIL_ROWS.inc()
        if isinstance(entry, LoginAttempt):
            outcome = entry.failure_reason or Status.SUCCESS.value
            LOGINS.labels(entry.contract, outcome).inc(entry.repeats)
