"""A rendered message, and the errors of a delivery."""

from collections.abc import Callable
from dataclasses import dataclass, field


class DeliveryRefused(Exception):
    """The gateway refused the message, or was never reached: the message was not sent and may be retried."""


class Undeliverable(DeliveryRefused):
    """The gateway can never send this message, so it is not retried."""


class DeliveryUnknown(Exception):
    """The gateway received the message and did not answer, so the message must not be sent again."""


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message in each form that a sender may need.

    `address` is an e-mail address or a phone number in E.164 form. `short` is the body of a text message. `code` is
    blank in notices.
    """

    address: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    short: str = field(repr=False)
    code: str = field(repr=False)


Sender = Callable[[RenderedMessage], None]
