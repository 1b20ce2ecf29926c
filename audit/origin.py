"""The origin of a request as plain values, which services can pass on without HTTP."""

import re
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Set for the length of a request; empty outside one, for instance in a command.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")


USER_AGENT_LENGTH = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_control_chars(text: str) -> str:
    """Return the text with control, bidirectional and zero-width characters written as escapes."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@dataclass(frozen=True, slots=True)
class Origin:
    """The contract, the network address and the user agent of a request.

    `contract` is a contract's name, `admin` for the admin site or `console` for a command.
    """

    contract: str
    ip: str | None = None
    user_agent: str = ""


ADMIN_SITE = "admin"
CONSOLE = Origin(contract="console")

# A contract that is not named here is shown as it is stored.
_CONTRACT_LABELS = {
    "native": _("native API"),
    "hospital": _("hospital (000)"),
    "union": _("medical union (001)"),
    "portal": _("portal (002)"),
    "clinic": _("clinic (004)"),
    ADMIN_SITE: _("admin site"),
    CONSOLE.contract: _("console"),
}


def contract_choices() -> list[tuple[str, str | Promise]]:
    """Return what people read for each name of a contract; as a function, so that another needs no migration."""
    return list(_CONTRACT_LABELS.items())


def request_origin(request: HttpRequest) -> Origin:
    """Return the origin that the middleware has set."""
    origin: Origin = request.origin  # type: ignore[attr-defined]  # `authsvc.middleware.origin` sets it.
    return origin
