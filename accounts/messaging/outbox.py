"""The transactional outbox: a message is a row, written in the transaction that causes it."""

import json
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import names
from accounts.models import Channel, Kind, Message, User
from accounts.security import contact_quotas, encryption

ENCRYPTED_FOR: Final = "messages"


def enqueue(
    *, user: User, channel: Channel, address: str, kind: Kind, expires_at: datetime, trusted: bool, **values: str
) -> None:
    """Queue a message in the caller's transaction; it is delivered after the commit, and never after `expires_at`.

    `trusted` says whether the user's address is proved or vouched for, which gives it a larger share of the messages
    that the contact may receive. `values` are the variables of its template. Raises TooManyCodes where the contact has
    received all messages that it may receive at present, and then changes nothing; TransactionManagementError outside a
    transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "enqueue() must be called in the transaction that causes the message."
        )
    contact_quotas.spend(channel, address, timezone.now(), trusted=trusted)
    Message.objects.create(
        user=user,
        channel=channel,
        address=address,
        kind=kind,
        language=user.language or settings.LANGUAGE_CODE,
        encrypted=encryption.encrypt(ENCRYPTED_FOR, json.dumps(values)),
        expires_at=expires_at,
    )


def reaches(channel: str, contact: str) -> bool:
    """Return whether messages are sent to a contact: text messages cost money, so few numbers receive them."""
    return channel != Channel.PHONE or names.is_mobile_number(contact, settings.SMS_REGIONS)


def values_of(message: Message) -> dict[str, str]:
    """Return the queued message's values. Raises encryption.DecryptionError."""
    values: dict[str, str] = json.loads(encryption.decrypt(ENCRYPTED_FOR, message.encrypted))
    return values
