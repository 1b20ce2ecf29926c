"""What defines a contract: its name, its error table, its error body, and the session of its tokens."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.functional import Promise
from rest_framework.exceptions import NotFound

from accounts import errors
from accounts.contracts.negotiation import UnsupportedContentEncoding
from accounts.errors import RetryLater
from accounts.models import Session
from accounts.transactions import is_read_only
from audit.origin import Origin

ErrorClass = type[BaseException]

_RETRY_SECONDS = 5


class TrailingSlash(NotFound):
    """No path has a slash at its end. A contract whose table omits it answers as to any unknown path."""


# The errors of a request whose token is not valid.
INVALID_TOKEN: Final = (
    errors.TokenInvalid,
    errors.TokenExpired,
    errors.SessionEnded,
    errors.TokenReused,
    errors.UserGone,
    errors.UserInactive,
)

# An error that a table may omit, and the error whose entry it then has.
_DEFAULTS: Final[Mapping[ErrorClass, ErrorClass]] = MappingProxyType(
    {
        errors.TokenMalformed: errors.TokenMissing,
        errors.RefreshCookieMissing: errors.TokenMissing,
        errors.OriginNotAllowed: errors.PermissionDenied,
        errors.UserGone: errors.SessionEnded,
        errors.UserInactive: errors.UserGone,
        errors.TokenReused: errors.SessionEnded,
        errors.InvalidSecondFactor: errors.InvalidCredentials,
        errors.SecondFactorRequired: errors.InvalidCredentials,
        errors.SecondFactorEnrollmentRequired: errors.SecondFactorRequired,
        errors.PasswordExpired: errors.AccountDisabled,
        errors.OwnAccount: errors.PermissionDenied,
        errors.LastAdministrator: errors.PermissionDenied,
        errors.SeparatedDuties: errors.PermissionDenied,
        errors.EditConflict: errors.AlreadyTaken,
        NotFound: errors.NotFound,
        Http404: NotFound,
        InterfaceError: OperationalError,
        errors.KeysUnavailable: OperationalError,
    }
)


def is_unavailable(error: BaseException) -> bool:
    """Return whether the service cannot serve at present: its database is away or read-only, or no key can be read."""
    return isinstance(error, OperationalError | InterfaceError | errors.KeysUnavailable) or is_read_only(error)


@dataclass(frozen=True, slots=True)
class WireError:
    """An error on the wire: the HTTP status, the contract's own code, and a message, translated when it is read."""

    status: int
    code: str | int
    message: str | Promise


ErrorTable = Mapping[ErrorClass, WireError]


def status_error(status: int, message: str) -> WireError:
    """Return a wire error of a contract whose codes are the HTTP statuses."""
    return WireError(status, status, message)


def error_table(entries: ErrorTable) -> ErrorTable:
    """Return a contract's error table, completed with the errors that it does not distinguish from others."""
    table = dict(entries)
    for error, alike in _DEFAULTS.items():
        table.setdefault(error, table[alike])
    return MappingProxyType(table)


@dataclass(frozen=True, slots=True)
class Contract:
    """One document's wire format.

    `errors` has every IdentityError, and what can fail before a service is called. `error_body` makes the body of an
    error response; `session_of` returns the session of a bearer token
    that came from an origin.
    """

    name: str
    errors: ErrorTable
    error_body: Callable[[WireError, BaseException], dict[str, Any]]
    session_of: Callable[[str, Origin], Session]
    media_type: str = "application/json"
    # The language of messages, of those about fields too.
    language: str = "en"
    # The languages that `Accept-Language` may choose. A document has one, whatever the browser prefers.
    languages: frozenset[str] = frozenset()

    def wire_error(self, error: BaseException) -> WireError:
        """Return the table's entry for the most specific class of this error."""
        kind = OperationalError if is_read_only(error) else type(error)
        return next(self.errors[each] for each in kind.__mro__ if each in self.errors)


def _challenge(error: BaseException) -> str:
    """Return the challenge of RFC 6750, section 3.1; it has an error where the request had a token."""
    if not isinstance(error, INVALID_TOKEN):
        return "Bearer"
    expired = isinstance(error, errors.TokenExpired)
    description = "The token has expired" if expired else "The token is invalid, or its session has ended"
    return f'Bearer error="invalid_token", error_description="{description}"'


def error_headers(wire_error: WireError, error: BaseException) -> dict[str, str]:
    """Return the headers that HTTP requires with this error (RFC 9110, RFC 6750)."""
    headers = {"Cache-Control": "no-store"}
    if wire_error.status == 401:
        headers["WWW-Authenticate"] = _challenge(error)
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    elif wire_error.status == 503:
        headers["Retry-After"] = str(_RETRY_SECONDS)
    elif isinstance(error, UnsupportedContentEncoding):
        # RFC 9110, section 15.5.16.
        headers["Accept-Encoding"] = "identity"
    return headers
