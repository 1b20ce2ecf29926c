"""The database that the trail's lists, exports and reports are read from: the replica, if there is one that is current.

Nothing else is read there: what decides who somebody is and what they may do has to be what was committed last.
"""

import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, TypeVar

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models import QuerySet
from django.utils import timezone

from audit.models import Entry, LoginAttempt, SecurityEvent

logger = logging.getLogger(__name__)
Rows = TypeVar("Rows", bound="QuerySet[Entry]")

ALIAS: Final = "replica"
# Rows that are older have to be on the replica, otherwise the primary is read.
MAX_DELAY: Final = timedelta(seconds=10)
# How long a replica that did not answer is not asked again.
PAUSE_SECONDS: Final = 30


class _State:
    """What this process has last seen of the replica."""

    problem = ""
    paused_until = 0.0


def is_configured() -> bool:
    return ALIAS in connections


def on_replica(rows: Rows) -> Rows:
    """Return the query for the replica, or for the primary where there is no replica to be read."""
    return rows.using(reading_alias())


def reading_alias() -> str:
    """Return the alias of the database to read the trail from. Raises django.db.Error of the primary."""
    if not is_configured() or time.monotonic() < _State.paused_until:
        return DEFAULT_DB_ALIAS
    newest = _newest_of_primary()
    try:
        problem = "" if _has(newest) else f"lacks rows that are {MAX_DELAY.seconds} seconds old"
    except Error as error:
        problem = f"cannot be read ({type(error).__name__})"
        _State.paused_until = time.monotonic() + PAUSE_SECONDS
    _report(problem)
    return DEFAULT_DB_ALIAS if problem else ALIAS


def is_current() -> bool:
    """Return whether the replica has every row of the trail but the newest. Raises django.db.Error."""
    return _has(_newest_of_primary())


def _newest_of_primary() -> Mapping[type[Entry], int]:
    """Return the id of the newest row of each table that the replica has had time for."""
    before = timezone.now() - MAX_DELAY
    newest = {
        table: table.objects.filter(at__lt=before).order_by("-id").values_list("pk", flat=True).first()
        for table in (LoginAttempt, SecurityEvent)
    }
    return {table: pk for table, pk in newest.items() if pk is not None}


def _has(rows: Mapping[type[Entry], int]) -> bool:
    return all(table.objects.using(ALIAS).filter(pk__gte=pk).exists() for table, pk in rows.items())


def _report(problem: str) -> None:
    """Log when the replica is left and when it is read again."""
    if problem != _State.problem:
        text = (
            f"The replica {problem}: the trail's lists are read from the primary."
            if problem
            else "The replica is read."
        )
        logger.warning(text)
        _State.problem = problem
