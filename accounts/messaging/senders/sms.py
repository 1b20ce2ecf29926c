"""Text messages, through the gateway that SMS_URL names."""

import re
from functools import cache

from django.utils.module_loading import import_string

from accounts.messaging.senders import aliyun, console
from accounts.messaging.senders.base import DeliveryRefused, RenderedMessage, Sender

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def is_dotted(url: str) -> bool:
    """Return whether SMS_URL is the dotted path of a function."""
    return _DOTTED.fullmatch(url) is not None


@cache
def sender(url: str) -> Sender:
    """Return the sender for SMS_URL. Raises ValueError, whose text does not hold the URL."""
    if url == console.URL:
        return console.send_sms
    if is_dotted(url):
        return _function_sender(url)
    if url.startswith("aliyun:"):
        return aliyun.Account.from_url(url).send
    # Apprise is slow to import, so only deployments that use it import it.
    from accounts.messaging.senders.apprise_url import Gateway

    return Gateway(url).send


def _function_sender(path: str) -> Sender:
    """Return a sender that calls `function(number, text)`; any exception counts as a refusal."""
    try:
        function = import_string(path)
    except Exception as error:
        raise ValueError(f"{path} cannot be imported ({type(error).__name__}).") from error
    if not callable(function):
        raise ValueError(f"{path} is not callable.")

    def send(rendered: RenderedMessage) -> None:
        try:
            function(rendered.address, rendered.short)
        except Exception as error:
            raise DeliveryRefused(f"{path} raised {type(error).__name__}.") from error

    return send
