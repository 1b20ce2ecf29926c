"""Writes entries to the trail; every entry is written here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from django.db import transaction

from audit import chain, metrics, seal
from audit.events import Status
from audit.models import Entry, Lane, LoginAttempt, SecurityEvent
from audit.origin import current_login
from audit.prepared import PreparedInsert, PreparedUpdateAndInsert

_INSERTS: Final[dict[type[Entry], PreparedInsert[Any]]] = {
    kind: PreparedInsert(kind, own_id=True) for kind in (LoginAttempt, SecurityEvent)
}

# A single entry, which is the most frequent case, and the head that has moved to it.
_APPENDS: Final = {kind: PreparedUpdateAndInsert(chain.MOVE, insert) for kind, insert in _INSERTS.items()}

# Entries that `record_many` inserts at once.
_AT_ONCE: Final = 1_000


def record(*entries: Entry) -> None:
    """Write the entries, sealed, as the last call of the transaction that they describe: without the row, no effect.

    Takes one of the trail's lanes until the transaction ends. Entries of one kind take one statement, the lane takes
    two more; on PostgreSQL one entry alone takes one with it. Raises TransactionManagementError outside a transaction.
    """
    _require_transaction()
    if not entries:
        return
    key, head = seal.current_key(), chain.take()
    if len(entries) == 1:
        _append(head, entries[0], key)
    else:
        _insert(head, entries, key)
        chain.store(head, key)
    for entry in entries:
        if isinstance(entry, LoginAttempt) and entry.status == Status.SUCCESS:
            current_login.set(entry.user_id)
    transaction.on_commit(partial(metrics.count, entries), robust=True)


def record_many(entries: Iterable[Entry]) -> Iterator[int]:
    """Write any number of entries as `record` does, as the last act of the transaction; yield how many so far.

    They take one lane, so that others have the rest of them meanwhile. An iterator that is not exhausted rolls the
    transaction back. Raises TransactionManagementError outside a transaction.
    """
    _require_transaction()
    key, head, count, rest = seal.current_key(), chain.take(), 0, iter(entries)
    try:
        while batch := list(islice(rest, _AT_ONCE)):
            _insert(head, batch, key)
            count += len(batch)
            yield count
    except BaseException:
        # Rows whose head is not stored would be damage of the trail.
        transaction.set_rollback(True)
        raise
    chain.store(head, key)
    transaction.on_commit(partial(metrics.TRAIL_ROWS.inc, count), robust=True)


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("Entries are recorded in the transaction that they describe.")


def _append(head: Lane, entry: Entry, key: seal.Key) -> None:
    """Give the entry its place behind the head of a lane, and store both."""
    entry.truncate()
    chain.append(head, entry, key)
    if not _APPENDS[type(entry)].execute(entry, **chain.moved(head, key)):
        raise chain.MissingLanes(f"Lane {head.lane} of the trail is gone, though this transaction holds it.")


def _insert(head: Lane, entries: Iterable[Entry], key: seal.Key) -> None:
    """Give the entries their places behind the head of a lane, and insert them, those of a kind at once."""
    kinds: dict[type[Entry], list[Entry]] = defaultdict(list)
    for entry in entries:
        entry.truncate()
        chain.append(head, entry, key)
        kinds[type(entry)].append(entry)
    for kind, rows in kinds.items():
        if len(rows) == 1:
            _INSERTS[kind].execute(rows[0])
        else:
            _INSERTS[kind].execute_many(rows)
