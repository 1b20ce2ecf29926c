"""Moves every stored secret to the first key: the step between a new SECRET_KEY and the removal of the former one."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db.models import Model

from accounts.messaging import outbox
from accounts.models import Message, SecondFactor, SigningKey
from accounts.security import encryption, keys, totp
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of encrypted texts, blank where there is none, and the purpose that they are encrypted for."""

    model: type[Model]
    name: str
    purpose: str


# `keys reencrypt` moves these; every column that `accounts.security.encryption` fills belongs here.
COLUMNS: Final = (
    EncryptedColumn(SigningKey, "encrypted", keys.ENCRYPTED_FOR),
    EncryptedColumn(Message, "encrypted", outbox.ENCRYPTED_FOR),
    EncryptedColumn(SecondFactor, "encrypted", totp.ENCRYPTED_FOR),
)


@dataclass(frozen=True, slots=True)
class Reencryption:
    """How many texts of one column were moved, were at the first key before, and could not be read."""

    purpose: str
    moved: int
    current: int
    unreadable: int


def reencrypt(*, origin: Origin) -> list[Reencryption]:
    """Encrypt every stored secret with SECRET_KEY, and record how many were moved.

    Each row by itself and only as it was read, so that it may run beside traffic, be interrupted and be repeated.
    """
    results = [_reencrypt(column) for column in COLUMNS]
    counts = {result.purpose: result.moved for result in results if result.moved}
    if counts:
        atomically(lambda: record(SecurityEvent.of(origin, Event.KEYS_REENCRYPTED, user_id=None, **counts)))
    return results


def _reencrypt(column: EncryptedColumn) -> Reencryption:
    counts: Counter[str] = Counter()
    rows = column.model._default_manager.exclude(**{column.name: ""})
    for pk, encrypted in rows.values_list("pk", column.name).order_by("pk"):
        try:
            renewed = encryption.reencrypt(column.purpose, encrypted)
        except encryption.DecryptionError:
            counts["unreadable"] += 1
            continue
        if renewed == encrypted:
            counts["current"] += 1
            continue
        # A row that was changed or removed meanwhile is as its writer left it, encrypted with that one's first key.
        unchanged = column.model._default_manager.filter(pk=pk, **{column.name: encrypted})
        counts["moved"] += unchanged.update(**{column.name: renewed})
    return Reencryption(column.purpose, counts["moved"], counts["current"], counts["unreadable"])
