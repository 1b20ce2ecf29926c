"""Writes entries to the trail; every entry is written here."""

from collections import defaultdict

from django.db import models, transaction

from audit.models import Entry


def record(*entries: Entry) -> None:
    """Write the entries, as the last call of the transaction that they describe: without the row, no effect.

    Entries of one kind take one statement. Raises TransactionManagementError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("record() must be called in the transaction that it describes.")
    kinds: dict[type[models.Model], list[Entry]] = defaultdict(list)
    for entry in entries:
        entry.truncate()
        kinds[type(entry)].append(entry)
    for kind, rows in kinds.items():
        kind._default_manager.bulk_create(rows)
