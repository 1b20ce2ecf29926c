"""A letter, and what may become of one."""

from collections.abc import Callable
from dataclasses import dataclass, field


class Refused(Exception):
    """The letter is certainly not on its way: the gateway said no, or was never reached. It may be tried again."""


class Undeliverable(Refused):
    """The letter can never go this way, however often it is tried."""


class DeliveryUnknown(Exception):
    """The gateway had the letter and did not say what it did with it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What one person is told, in each form that a way may need.

    `address` is as it is stored: an e-mail address, or a phone number as E.164. `short` is the text for a phone. `code`
    is blank where the letter only tells what has happened.
    """

    address: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    short: str = field(repr=False)
    code: str = field(repr=False)


Sender = Callable[[Letter], None]
