"""Text messages, by whichever way SMS_URL names."""

import re
from functools import cache

from django.utils.module_loading import import_string

from accounts.messaging.senders import aliyun, console
from accounts.messaging.senders.base import Letter, Refused, Sender

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def is_dotted(url: str) -> bool:
    """Return whether this names a function of the deployment's own."""
    return _DOTTED.fullmatch(url) is not None


@cache
def sender(url: str) -> Sender:
    """Return the way that SMS_URL names. Raises ValueError, which says what is wrong and does not show the URL."""
    if url == console.URL:
        return console.send_sms
    if is_dotted(url):
        return _own(url)
    if url.startswith("aliyun:"):
        return aliyun.Account.from_url(url).send
    # Apprise takes long to load, which only who uses it shall wait for.
    from accounts.messaging.senders.apprise_url import Gateway

    return Gateway(url).send


def _own(path: str) -> Sender:
    """Return a sender that calls `function(number, text)`; whatever that raises means that the text was refused."""
    try:
        function = import_string(path)
    except Exception as error:
        raise ValueError(f"{path} cannot be imported ({type(error).__name__}).") from error
    if not callable(function):
        raise ValueError(f"{path} is no function.")

    def send(letter: Letter) -> None:
        try:
            function(letter.address, letter.short)
        except Exception as error:
            raise Refused(f"{path} raised {type(error).__name__}.") from error

    return send
