"""The transactional outbox: a message is a row, written in the transaction that causes it."""

import json
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import Channel, Kind, Message, User
from accounts.security import encryption

_PURPOSE = "messages"


def enqueue(*, user: User, channel: Channel, address: str, kind: Kind, expires_at: datetime, **values: str) -> None:
    """Queue a message in the caller's transaction; it is delivered after the commit, and never after `expires_at`.

    `values` are the variables of its template. Raises TransactionManagementError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("enqueue() belongs to the transaction that causes the message.")
    Message.objects.create(
        user=user,
        channel=channel,
        address=address,
        kind=kind,
        language=user.language or settings.LANGUAGE_CODE,
        encrypted=encryption.encrypt(_PURPOSE, json.dumps(values)),
        expires_at=expires_at,
    )


def values_of(message: Message) -> dict[str, str]:
    """Return the queued message's values. Raises encryption.DecryptionError."""
    values: dict[str, str] = json.loads(encryption.decrypt(_PURPOSE, message.encrypted))
    return values
