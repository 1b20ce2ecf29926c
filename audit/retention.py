"""Removal of rows that are past retention, behind a signed checkpoint in each lane."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

from django.db import connection, transaction

from audit import seal, sealed_rows
from audit.chain import lane_count
from audit.guards import open_for_purge
from audit.models import Checkpoint, Lane
from audit.sealed_rows import TABLES, adapted

# China's Cybersecurity Law, article 21: network logs are kept for at least six months.
LEAST_RETENTION: Final = timedelta(days=180)
# Rows that one transaction removes: few enough that requests beside it hardly wait.
BATCH: Final = 500
_UNSEALED: Final = "lane IS NULL AND at < %s"

Counts = dict[str, int]


class RetentionTooShort(ValueError):
    """A purge of rows that must be kept longer."""


def purge_trail(now: datetime, days: int, *, dry_run: bool = False) -> Iterator[Counts]:
    """Remove the rows of both tables that are older than `days`, and yield by kind how many so far, at least once.

    Each lane loses rows from its beginning up to the first one within retention. A batch is one transaction with
    the checkpoint behind which its rows are gone: an interruption loses nothing, and the next run goes on.
    `dry_run` only counts. Raises RetentionTooShort.
    """
    retention = timedelta(days=days)
    if retention < LEAST_RETENTION:
        raise RetentionTooShort(f"The trail keeps rows for at least {LEAST_RETENTION.days} days, not {days}.")
    counts = dict.fromkeys(TABLES, 0)
    for batch in _batches(now, now - retention, dry_run):
        counts = {kind: count + batch[kind] for kind, count in counts.items()}
        yield counts
    yield counts


def _batches(now: datetime, until: datetime, dry_run: bool) -> Iterator[Counts]:
    for lane in range(lane_count()):
        first_kept = sealed_rows.first_number(lane, until)
        end = sealed_rows.last_number(lane) if first_kept is None else first_kept - 1
        if dry_run:
            yield sealed_rows.counts("lane = %s AND number <= %s", lane, end)
            continue
        while removed := _purge_lane(lane, end, until, now):
            yield removed
    if dry_run:
        yield sealed_rows.counts(_UNSEALED, adapted(until))
        return
    while any((removed := _purge_unsealed(until)).values()):
        yield removed


def _purge_lane(lane: int, end: int, until: datetime, now: datetime) -> Counts | None:
    """Remove the lane's next batch of rows up to a number; return None if there is none."""
    with transaction.atomic():
        # Of two purges at once one waits, so that no checkpoint goes back. Logins take other lanes meanwhile.
        Lane.objects.select_for_update().filter(lane=lane).first()
        former = Checkpoint.objects.filter(lane=lane).first()
        last = sealed_rows.last_of_batch(lane, former.number if former else 0, end, BATCH)
        if last is None:
            return None
        number, mac = last
        store_checkpoint(lane, number, mac, until, now)
        return _delete("lane = %s AND number <= %s", lane, number)


def store_checkpoint(lane: int, number: int, mac: bytes, until: datetime, at: datetime) -> None:
    """State, sealed, that the rows of a lane up to a number are gone, all of them older than `until`."""
    key = seal.current_key()
    stated = seal.checkpoint_seal(key, lane, number, mac, until, at)
    Checkpoint(lane=lane, number=number, mac=mac, until=until, at=at, key_name=key.name, seal=stated).save()


def _purge_unsealed(until: datetime) -> Counts:
    """Remove a batch of rows that no lane has."""
    removed = dict.fromkeys(TABLES, 0)
    for kind, table in TABLES.items():
        # MariaDB takes no LIMIT in a subquery of the same table, so the ids are read first.
        if ids := sealed_rows.ids(table, BATCH, _UNSEALED, adapted(until)):
            where = f"id <= %s AND {_UNSEALED}"
            with transaction.atomic():
                removed[kind] = _delete(where, ids[-1], adapted(until), tables={kind: table})[kind]
    return removed


def _delete(where: str, *parameters: Any, tables: Mapping[str, str] = TABLES) -> Counts:
    removed = {}
    with connection.cursor() as cursor, open_for_purge(cursor):
        for kind, table in tables.items():
            cursor.execute(f"DELETE FROM {table} WHERE {where}", parameters)
            removed[kind] = cursor.rowcount
    return removed


def is_sealed(checkpoint: Checkpoint) -> bool:
    """Return whether one of the keys has sealed the checkpoint as it is."""
    key = seal.keys().get(checkpoint.key_name)
    if key is None:
        return False
    values = checkpoint.lane, checkpoint.number, bytes(checkpoint.mac), checkpoint.until, checkpoint.at
    return compare_digest(seal.checkpoint_seal(key, *values), bytes(checkpoint.seal))
