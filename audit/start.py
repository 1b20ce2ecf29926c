"""The start of a trail: its lanes, and how many rows there were before them."""

from django.db import transaction

from audit import seal, sealed_rows
from audit.chain import lane_count
from audit.events import Event
from audit.models import Lane, SecurityEvent
from audit.origin import CONSOLE
from audit.record import record


def create_lanes() -> None:
    """Start the lanes of a new trail. A lane that was lost is not replaced: `trail verify` must name it.

    Rows that are there already stay without a seal; an event says how many, so that none can be added.
    """
    if Lane.objects.exists():
        return
    key, first = seal.current_key(), seal.FIRST_MAC
    with transaction.atomic():
        Lane.objects.bulk_create(
            Lane(lane=lane, mac=first, key_name=key.name, seal=seal.head_seal(key, lane, 0, 0, first))
            for lane in range(lane_count())
        )
        if any(sealed_rows.counts("lane IS NULL").values()):
            accept_unsealed()


def accept_unsealed() -> dict[str, int]:
    """State by a sealed event how many rows without a seal there are, and return their numbers, by kind."""
    with transaction.atomic():
        unsealed = sealed_rows.counts("lane IS NULL")
        detail = {f"{kind}s": count for kind, count in unsealed.items()}
        record(SecurityEvent.of(CONSOLE, Event.TRAIL_SEALED, user_id=None, **detail))
    return unsealed
