"""Text messages by one of Apprise's many gateways, its own URL with `{number}` where the number goes."""

import logging
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

import requests
import urllib3
from apprise import Apprise

from accounts.messaging.senders.base import DeliveryUnknown, Letter, Refused
from accounts.policies import GATEWAY_TIMEOUT

PLACE = "{number}"
_ANY_NUMBER = "+8613800138000"
_STATUS = re.compile(r"error=(\d{3})")
# Each of these is raised before a byte of the request is on its way.
_NEVER_CONNECTED = (
    requests.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
    socket.gaierror,
)
_heard: ContextVar[list[tuple[str, BaseException | None]] | None] = ContextVar("apprise_heard", default=None)


class _Ear(logging.Handler):
    """Notes what Apprise logs while it sends: it swallows errors, but it is still handling them when it logs them."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None:
            heard.append((record.getMessage(), sys.exc_info()[1]))


_log = logging.getLogger("apprise")
_log.addHandler(_Ear(logging.WARNING))
_log.setLevel(logging.WARNING)
# What Apprise logs may hold a message's text, a number or a password.
_log.propagate = False


class Gateway:
    """One of Apprise's gateways."""

    def __init__(self, url: str) -> None:
        """Raise ValueError for a URL that Apprise cannot read, or that has no place for the number."""
        if PLACE not in url:
            raise ValueError(f"it has no {PLACE}, where the phone number goes.")
        self._url = url
        if self._to(_ANY_NUMBER) is None:
            raise ValueError(f"Apprise cannot read it as a URL of '{url.partition(':')[0][:20]}'.")

    def send(self, letter: Letter) -> None:
        """Hand a letter to the gateway, once. Raises Refused and DeliveryUnknown."""
        gateway = self._to(letter.address)
        if gateway is None:
            raise Refused("Apprise does not take this number.")
        gateway.socket_connect_timeout = gateway.socket_read_timeout = GATEWAY_TIMEOUT.total_seconds()
        with _listening() as heard:
            # The gateway's own method: Apprise's would try again by itself where the URL says so.
            taken = gateway.notify(body=letter.short, title="")
        if not taken:
            raise _what_became_of_it(heard)

    def _to(self, number: str) -> Any:
        return Apprise.instantiate(self._url.replace(PLACE, quote(number, safe="")))


@contextmanager
def _listening() -> Iterator[list[tuple[str, BaseException | None]]]:
    heard: list[tuple[str, BaseException | None]] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def _what_became_of_it(heard: list[tuple[str, BaseException | None]]) -> Refused | DeliveryUnknown:
    errors = [error for _, error in heard if error]
    for error in errors:
        if not any(isinstance(cause, _NEVER_CONNECTED) for cause in _causes(error)):
            return DeliveryUnknown(f"The gateway had the text and gave no answer ({type(error).__name__}).")
    if errors:
        return Refused(f"The gateway was not reached ({type(errors[0]).__name__}).")
    if not heard:
        return DeliveryUnknown("The gateway's module did not say what became of the text.")
    statuses = [found[1] for text, _ in heard if (found := _STATUS.search(text))]
    return Refused(f"The gateway answered {statuses[0]}." if statuses else "The gateway refused it.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
