"""Text messages through one of Apprise's gateways: an Apprise URL with `{number}` in place of the phone number."""

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

from accounts.messaging.senders.base import DeliveryRefused, DeliveryUnknown, RenderedMessage
from accounts.policies import GATEWAY_TIMEOUT

NUMBER_PLACEHOLDER = "{number}"
_SAMPLE_NUMBER = "+8613800138000"
_STATUS = re.compile(r"error=(\d{3})")
# Each of these is raised before any byte of the request is sent.
_CONNECTION_ERRORS = (
    requests.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
    socket.gaierror,
)
_captured: ContextVar[list[tuple[str, BaseException | None]] | None] = ContextVar("apprise_captured", default=None)


class _CapturingHandler(logging.Handler):
    """Captures what Apprise logs while it sends: Apprise suppresses errors but logs inside their handlers."""

    def emit(self, record: logging.LogRecord) -> None:
        captured = _captured.get()
        if captured is not None:
            captured.append((record.getMessage(), sys.exc_info()[1]))


_log = logging.getLogger("apprise")
_log.addHandler(_CapturingHandler(logging.WARNING))
_log.setLevel(logging.WARNING)
# Apprise's log records may hold a message's text, a phone number or a password.
_log.propagate = False


class Gateway:
    """A gateway of Apprise's."""

    def __init__(self, url: str) -> None:
        """Raise ValueError for a URL that Apprise cannot read, or that has no `{number}`."""
        if NUMBER_PLACEHOLDER not in url:
            raise ValueError(f"it has no {NUMBER_PLACEHOLDER} in place of the phone number.")
        self._url = url
        if self._plugin(_SAMPLE_NUMBER) is None:
            raise ValueError(f"Apprise cannot read it as a URL of '{url.partition(':')[0][:20]}'.")

    def send(self, rendered: RenderedMessage) -> None:
        """Send a message through the gateway, without retries. Raises DeliveryRefused and DeliveryUnknown."""
        gateway = self._plugin(rendered.address)
        if gateway is None:
            raise DeliveryRefused("Apprise does not accept this phone number.")
        gateway.socket_connect_timeout = gateway.socket_read_timeout = GATEWAY_TIMEOUT.total_seconds()
        with _capture_log() as captured:
            # The plugin's own method: Apprise.notify() would retry where the URL says so.
            accepted = gateway.notify(body=rendered.short, title="")
        if not accepted:
            raise _failure(captured)

    def _plugin(self, number: str) -> Any:
        return Apprise.instantiate(self._url.replace(NUMBER_PLACEHOLDER, quote(number, safe="")))


@contextmanager
def _capture_log() -> Iterator[list[tuple[str, BaseException | None]]]:
    captured: list[tuple[str, BaseException | None]] = []
    token = _captured.set(captured)
    try:
        yield captured
    finally:
        _captured.reset(token)


def _failure(captured: list[tuple[str, BaseException | None]]) -> DeliveryRefused | DeliveryUnknown:
    errors = [error for _, error in captured if error]
    for error in errors:
        if not any(isinstance(cause, _CONNECTION_ERRORS) for cause in _causes(error)):
            return DeliveryUnknown(f"The gateway received the message and did not answer ({type(error).__name__}).")
    if errors:
        return DeliveryRefused(f"The gateway could not be reached ({type(errors[0]).__name__}).")
    if not captured:
        return DeliveryUnknown("The gateway's module did not report the result.")
    statuses = [found[1] for text, _ in captured if (found := _STATUS.search(text))]
    return DeliveryRefused(f"The gateway answered {statuses[0]}." if statuses else "The gateway refused it.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
