"""The rows of the trail in the order of their seal, and how far a receiver has them."""

import hashlib
from collections.abc import Mapping
from heapq import merge
from itertools import islice
from typing import Final

from django.db import transaction

from audit.models import Entry, Lane, LoginAttempt, SecurityEvent, StreamPosition

# Rows that are sent at once.
BATCH: Final = 500

# The id of the last row of each lane that has been sent.
Position = Mapping[int, int]


def stored_position(destination: str) -> dict[int, int]:
    """Return how far a receiver, named by its URL without credentials, has the trail."""
    rows = StreamPosition.objects.filter(destination=_digest(destination))
    return dict(rows.values_list("lane", "last_id"))


def store_position(destination: str, position: Position) -> None:
    with transaction.atomic():
        for lane, last_id in position.items():
            StreamPosition.objects.update_or_create(
                destination=_digest(destination), lane=lane, defaults={"last_id": last_id}
            )


def next_batch(position: Position) -> list[Entry]:
    """Return the next rows after a position: at most BATCH of one lane, in the lane's order; none at the end.

    A lane is read up to its head as it was before: a transaction that commits meanwhile could otherwise add a row to
    one table behind a later row of the other.
    """
    for lane, end in Lane.objects.order_by("lane").values_list("lane", "last_id"):
        start = position.get(lane, 0)
        if start < end and (rows := _rows(lane, start, end)):
            return rows
    return []


def _rows(lane: int, start: int, end: int) -> list[Entry]:
    # The ids of a lane ascend with its numbers, over both tables.
    tables = [
        list(table.objects.filter(lane=lane, id__gt=start, id__lte=end).order_by("id")[:BATCH])
        for table in (LoginAttempt, SecurityEvent)
    ]
    return list(islice(merge(*tables, key=lambda entry: entry.pk), BATCH))


def _digest(destination: str) -> str:
    return hashlib.sha256(destination.encode()).hexdigest()
