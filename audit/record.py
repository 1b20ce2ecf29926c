"""Writes entries to the trail; every entry is written here."""

from collections import defaultdict
from functools import partial
from typing import Any, Final

from django.db import transaction

from audit import chain, metrics, seal
from audit.events import Status
from audit.models import Entry, LoginAttempt, SecurityEvent
from audit.origin import current_login
from audit.prepared import PreparedInsert

_INSERTS: Final[dict[type[Entry], PreparedInsert[Any]]] = {
    kind: PreparedInsert(kind, own_id=True) for kind in (LoginAttempt, SecurityEvent)
}


def record(*entries: Entry) -> None:
    """Write the entries, sealed, as the last call of the transaction that they describe: without the row, no effect.

    Takes one of the trail's lanes until the transaction ends. Entries of one kind take one statement, the lane takes
    two more. Raises TransactionManagementError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("record() must be called in the transaction that it describes.")
    if not entries:
        return
    key, head = seal.current_key(), chain.take()
    kinds: dict[type[Entry], list[Entry]] = defaultdict(list)
    for entry in entries:
        entry.truncate()
        chain.append(head, entry, key)
        kinds[type(entry)].append(entry)
        if isinstance(entry, LoginAttempt) and entry.status == Status.SUCCESS:
            current_login.set(entry.user_id)
    for kind, rows in kinds.items():
        if len(rows) == 1:
            _INSERTS[kind].execute(rows[0])
        else:
            kind._default_manager.bulk_create(rows)
    chain.store(head, key)
    transaction.on_commit(partial(metrics.count, entries), robust=True)
