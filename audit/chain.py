"""The heads of the lanes: which one a transaction takes, and how it continues with a row."""

import logging
import secrets
from hmac import compare_digest
from typing import Any, Final

from django.db import connection
from django.db.models import BigIntegerField, BinaryField, CharField, IntegerField, QuerySet

from audit import seal
from audit.models import Entry, Lane, LoginAttempt
from audit.prepared import PreparedRows, PreparedUpdate, update_query

_LANES: Final = 16
# An id is the time of its row in microseconds, in steps that leave room for one id of each lane.
_ID_STEP: Final = 16

logger = logging.getLogger(__name__)


def free_lanes(start: Any) -> QuerySet[Lane]:
    """Return the first lane from `start` on that no other transaction has, and lock it where the database can."""
    return Lane.objects.filter(lane__gte=start).order_by("lane").select_for_update(skip_locked=True)[:1]


_FREE: Final = PreparedRows(free_lanes, start=IntegerField())
_WAITED_FOR: Final = PreparedRows(lambda lane: Lane.objects.filter(lane=lane).select_for_update(), lane=IntegerField())
MOVE: Final = PreparedUpdate(
    lambda lane, number, last_id, mac, key_name, seal: update_query(
        Lane.objects.filter(lane=lane), number=number, last_id=last_id, mac=mac, key_name=key_name, seal=seal
    ),
    lane=IntegerField(),
    number=BigIntegerField(),
    last_id=BigIntegerField(),
    mac=BinaryField(),
    key_name=CharField(),
    seal=BinaryField(),
)


class MissingLanes(RuntimeError):
    """The table of lanes has not the rows that a migration puts there."""


def lane_count() -> int:
    """Return the number of lanes. SQLite has one writer at a time, so that more would serve nobody."""
    return 1 if connection.vendor == "sqlite" else _LANES


def take() -> Lane:
    """Lock any free lane and return its head; wait for one only if other transactions have taken all.

    Raises MissingLanes.
    """
    start = secrets.randbelow(lane_count())
    head = _FREE.first(start=start) or (_FREE.first(start=0) if start else None) or _WAITED_FOR.first(lane=start)
    if head is None:
        raise MissingLanes(
            "The trail has no lanes, or lacks some: run `manage.py migrate`, then `manage.py trail verify`."
        )
    head.mac = bytes(head.mac)
    if not is_sealed(head):
        # The rows to come must not make a forged head good: one number stays empty, and verification names it.
        logger.error("The head of lane %s of the trail has a false seal, or its key is missing.", head.lane)
        head.number += 1
    return head


def is_sealed(head: Lane) -> bool:
    """Return whether one of the keys has sealed the head as it is."""
    key = seal.keys().get(head.key_name)
    if key is None:
        return False
    expected = seal.head_seal(key, head.lane, head.number, head.last_id, bytes(head.mac))
    return compare_digest(expected, bytes(head.seal))


def append(head: Lane, entry: Entry, key: seal.Key) -> None:
    """Give the entry its id, place and MAC, and move the head to it."""
    moment = int(entry.at.timestamp() * 1_000_000)
    head.number += 1
    head.last_id = max(moment // _ID_STEP * _ID_STEP, head.last_id // _ID_STEP * _ID_STEP + _ID_STEP) + head.lane
    entry.pk, entry.lane, entry.number, entry.key_name = head.last_id, head.lane, head.number, key.name
    entry.mac = head.mac = seal.row_mac(key, bytes(head.mac), canonical_values(entry))


def canonical_values(entry: Entry) -> list[object]:
    """Return what the MAC of an entry is made of."""
    kind = "attempt" if isinstance(entry, LoginAttempt) else "event"
    values = [kind, entry.lane, entry.number, entry.key_name, *(getattr(entry, name) for name in seal.COLUMNS[kind])]
    values[5] = seal.moment(entry.at)
    if entry.ip is not None:
        values[8] = seal.address(entry.ip)
    return seal.without_blank_factor(values) if kind == "attempt" else values


def store(head: Lane, key: seal.Key) -> None:
    """Write the moved head, sealed."""
    MOVE.execute(**moved(head, key))


def moved(head: Lane, key: seal.Key) -> dict[str, Any]:
    """Return what MOVE writes of a head, sealed."""
    mac = bytes(head.mac)
    return {
        "lane": head.lane,
        "number": head.number,
        "last_id": head.last_id,
        "mac": mac,
        "key_name": key.name,
        "seal": seal.head_seal(key, head.lane, head.number, head.last_id, mac),
    }
