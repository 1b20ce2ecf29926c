"""The origin of a request as plain values, which services can pass on without HTTP."""

import unicodedata
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Set for the length of a request; empty outside one, for instance in a command.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
# The `traceparent` of the request (W3C Trace Context), for the log alone.
current_traceparent: ContextVar[str] = ContextVar("current_traceparent", default="")
# The id of the user who has logged in by the current request.
current_login: ContextVar[int | None] = ContextVar("current_login", default=None)


USER_AGENT_LENGTH = 300
# Unicode's categories of controls, formats (bidirectional, zero-width, tags), separators of lines, and surrogates.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def escape_control_chars(text: str) -> str:
    """Return the text with control, bidirectional and zero-width characters written as escapes.

    An escape has four digits after `\\u`, and eight after `\\U` for a character beyond U+FFFF.
    """
    # Every character of these categories is unprintable, and most texts have none.
    return text if text.isprintable() else "".join(map(_escape, text))


def _escape(char: str) -> str:
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    return f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}"


@dataclass(frozen=True, slots=True)
class Origin:
    """The contract, the network address and the user agent of a request.

    `contract` is a contract's name, `admin` for the admin site or `console` for a command.
    """

    contract: str
    ip: str | None = None
    user_agent: str = ""


ADMIN_SITE = "admin"
# The pages on which a user chooses a password by a code or a link.
PASSWORD_PAGES = "password"  # noqa: S105 This names pages, not a password.
CONSOLE = Origin(contract="console")
# Login attempts of a former system, which `manage.py import_users` has taken over.
IMPORTED = "imported"

# A contract that is not named here is shown as it is stored.
_CONTRACT_LABELS = {
    "native": _("native API"),
    "hospital": _("hospital (000)"),
    "union": _("medical union (001)"),
    "portal": _("portal (002)"),
    "clinic": _("clinic (004)"),
    ADMIN_SITE: _("admin site"),
    PASSWORD_PAGES: _("password page"),
    CONSOLE.contract: _("console"),
    IMPORTED: _("imported"),
}


def contract_choices() -> list[tuple[str, str | Promise]]:
    """Return what people read for each name of a contract; as a function, so that another needs no migration."""
    return list(_CONTRACT_LABELS.items())


def request_origin(request: HttpRequest) -> Origin:
    """Return the origin that the middleware has set."""
    origin: Origin = request.origin  # type: ignore[attr-defined]  # `authsvc.middleware.origin` sets it.
    return origin
