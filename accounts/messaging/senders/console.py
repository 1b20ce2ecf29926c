"""Development: what would be sent is printed."""

import sys

from accounts.messaging.senders.base import Letter

URL = "console:"


def send_email(letter: Letter) -> None:
    """Print an e-mail's text."""
    _show(letter.address, f"{letter.subject}\n\n{letter.text}")


def send_sms(letter: Letter) -> None:
    """Print a text message."""
    _show(letter.address, letter.short)


def _show(address: str, text: str) -> None:
    sys.stdout.write(f"---- To: {address}\n{text}\n----\n")
    sys.stdout.flush()
