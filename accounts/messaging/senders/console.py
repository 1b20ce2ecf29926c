"""Development: messages are printed to standard output."""

import sys

from accounts.messaging.senders.base import RenderedMessage

URL = "console:"


def send_email(rendered: RenderedMessage) -> None:
    """Print an e-mail's text."""
    _print(rendered.address, f"{rendered.subject}\n\n{rendered.text}")


def send_sms(rendered: RenderedMessage) -> None:
    """Print a text message."""
    _print(rendered.address, rendered.short)


def _print(address: str, text: str) -> None:
    sys.stdout.write(f"---- To: {address}\n{text}\n----\n")
    sys.stdout.flush()
