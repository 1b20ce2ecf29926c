"""The messages in the outbox, decrypted for tests."""

from typing import Any

from accounts.messaging import outbox
from accounts.models import Message


def queued() -> list[tuple[str, str, str]]:
    """Return the channel, the address and the kind of every message so far, in order."""
    return list(Message.objects.order_by("id").values_list("channel", "address", "kind"))


def last() -> dict[str, Any]:
    """Return the values of the last message."""
    return outbox.values_of(Message.objects.latest("id"))
