"""Senders: each hands a rendered message to a gateway and raises an error that classifies a failure.

A sender returns once the gateway has accepted the message. No step waits longer than GATEWAY_TIMEOUT. The texts of its
errors are shown to administrators, so they hold no message text, no code and no password.
"""

from django.conf import settings

from accounts.messaging.senders import email, sms
from accounts.messaging.senders.base import DeliveryRefused, DeliveryUnknown, RenderedMessage, Sender, Undeliverable

__all__ = ["DeliveryRefused", "DeliveryUnknown", "RenderedMessage", "Sender", "Undeliverable", "sender_for"]


def sender_for(channel: str) -> Sender:
    """Return the sender of a channel, `email` or `phone`. Raises DeliveryRefused where none is configured."""
    name, find = ("EMAIL_URL", email.sender) if channel == "email" else ("SMS_URL", sms.sender)
    url: str = getattr(settings, name)
    if not url:
        raise DeliveryRefused(f"{name} is not set.")
    try:
        return find(url)
    except ValueError as error:
        raise DeliveryRefused(f"{name} cannot be used: {error}") from error
