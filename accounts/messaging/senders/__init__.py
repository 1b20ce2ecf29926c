"""Ways to a person: each takes a letter, and says by an error what became of it.

A sender returns once the gateway has taken the letter. It never waits longer for a step than GATEWAY_TIMEOUT, and what
its errors say is shown to administrators: no text, no code, no password.
"""

from django.conf import settings

from accounts.messaging.senders import email, sms
from accounts.messaging.senders.base import DeliveryUnknown, Letter, Refused, Sender, Undeliverable

__all__ = ["DeliveryUnknown", "Letter", "Refused", "Sender", "Undeliverable", "sender_for"]


def sender_for(channel: str) -> Sender:
    """Return the way to people on a channel, `email` or `phone`. Raises Refused where the deployment has none."""
    name, find = ("EMAIL_URL", email.sender) if channel == "email" else ("SMS_URL", sms.sender)
    url: str = getattr(settings, name)
    if not url:
        raise Refused(f"{name} is not set.")
    try:
        return find(url)
    except ValueError as error:
        raise Refused(f"{name} cannot be used: {error}") from error
