"""The hospital contract's errors on the wire: status, code and text of each."""

from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework.exceptions import MethodNotAllowed, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import WireError, error_table, status_error
from accounts.contracts.negotiation import UnsupportedContentEncoding

_EMPTY: Final = frozenset({"required", "null", "blank"})

ERRORS: Final = error_table(
    {
        errors.InvalidInput: status_error(400, "Invalid input"),
        errors.AlreadyTaken: status_error(400, "Already exists"),
        errors.NotFound: status_error(404, "Not found"),
        errors.InvalidCredentials: status_error(401, "Invalid username or password"),
        errors.AccountDisabled: status_error(401, "Account is disabled"),
        errors.ApprovalPending: status_error(401, "Account is disabled"),
        errors.TooManyAttempts: status_error(429, "Too many failed attempts, try again later"),
        errors.TooManyLogins: status_error(429, "Too many logins, try again later"),
        errors.TooManyChanges: status_error(429, "Too many changes, try again later"),
        errors.TooManyRegistrations: status_error(429, "Too many registrations, try again later"),
        errors.TooManyCodes: status_error(429, "Too many codes were requested, try again later"),
        errors.InvalidCode: status_error(400, "Invalid code"),
        errors.Overloaded: status_error(503, "Service is busy, try again in a moment"),
        errors.TokenMissing: status_error(401, "Token is missing"),
        errors.TokenMalformed: status_error(401, "Invalid token format"),
        errors.TokenInvalid: status_error(401, "Invalid token"),
        errors.TokenExpired: status_error(401, "Token has expired"),
        errors.SessionEnded: status_error(401, "Invalid token"),
        errors.UserGone: status_error(401, "User not found or inactive"),
        errors.PermissionDenied: status_error(403, "Insufficient permissions"),
        errors.HTTPSRequired: status_error(426, "HTTPS is required"),
        ParseError: status_error(400, "Invalid JSON"),
        SuspiciousOperation: status_error(400, "Bad request"),
        MethodNotAllowed: status_error(405, "Method not allowed"),
        RequestDataTooBig: status_error(413, "Request body is too large"),
        UnsupportedContentEncoding: status_error(415, "Request body must not be compressed (Content-Encoding)"),
        UnsupportedMediaType: status_error(415, "Content-Type must be application/json"),
        OperationalError: status_error(503, "Service is unavailable, try again in a moment"),
        BaseException: status_error(500, "Internal server error"),
    }
)

# The document has one message for a login without a user name or a password.
LOGIN_ERRORS: Final = error_table(
    {**ERRORS, errors.InvalidInput: status_error(400, "Username and password are required")}
)


def message_body(wire_error: WireError, error: BaseException) -> dict[str, Any]:
    """Return the document's body of an error."""
    return {"success": False, "message": wire_error.message}


def error_body(wire_error: WireError, error: BaseException) -> dict[str, Any]:
    """Return the document's body of an error; the message names the first missing field, or the first invalid one."""
    message = wire_error.message
    if isinstance(error, errors.AlreadyTaken):
        message = f"{next(iter(error.errors)).capitalize()} already exists"
    elif isinstance(error, errors.InvalidInput):
        message = _first_field(error)
    return {"success": False, "message": message}


def _first_field(error: errors.InvalidInput) -> str:
    for field, problems in error.errors.items():
        if problems[0].code in _EMPTY:
            return f"Field {field} is required"
    field, problems = next(iter(error.errors.items()))
    return f"Field {field} is invalid: {problems[0].detail}"
