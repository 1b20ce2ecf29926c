"""The clinic contract's errors on the wire: status, code and text of each."""

from dataclasses import replace
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework.exceptions import MethodNotAllowed, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import WireError, error_table, status_error
from accounts.contracts.negotiation import UnsupportedContentEncoding
from accounts.policies import active_profile

# The document's names of columns that are called otherwise here.
_FIELDS: Final = {"phone": "phone_number"}

ERRORS: Final = error_table(
    {
        errors.InvalidInput: status_error(422, "Unprocessable Entity"),
        errors.AlreadyTaken: status_error(400, "This value is already registered."),
        errors.NotFound: status_error(404, "Not Found"),
        errors.InvalidCredentials: status_error(400, "Incorrect email or password."),
        errors.AccountDisabled: status_error(403, "This account is disabled."),
        errors.ApprovalPending: status_error(403, "This account awaits an administrator's approval."),
        errors.PasswordExpired: status_error(403, "The password has expired. Reset it to log in."),
        errors.TooManyAttempts: status_error(429, "Too many failed attempts. Try again later."),
        errors.TooManyLogins: status_error(429, "Too many logins. Try again later."),
        errors.TooManyChanges: status_error(429, "Too many changes. Try again later."),
        errors.TooManyRegistrations: status_error(429, "Too many registrations. Try again later."),
        errors.TooManyCodes: status_error(429, "Too many codes were requested. Try again later."),
        errors.InvalidCode: status_error(400, "Invalid code."),
        errors.Overloaded: status_error(503, "The service is busy. Try again in a moment."),
        errors.TokenMissing: status_error(401, "Not authenticated"),
        errors.TokenInvalid: status_error(401, "Could not validate credentials"),
        errors.TokenExpired: status_error(401, "The token has expired."),
        errors.SessionEnded: status_error(401, "The session has ended."),
        errors.PermissionDenied: status_error(403, "Forbidden"),
        errors.HTTPSRequired: status_error(426, "HTTPS is required."),
        ParseError: status_error(400, "The body is not JSON."),
        SuspiciousOperation: status_error(400, "Bad Request"),
        MethodNotAllowed: status_error(405, "Method Not Allowed"),
        RequestDataTooBig: status_error(413, "The body is too large."),
        UnsupportedContentEncoding: status_error(415, "The body must not be compressed (Content-Encoding)."),
        UnsupportedMediaType: status_error(415, "Unsupported Media Type"),
        OperationalError: status_error(503, "The service is unavailable. Try again in a moment."),
        BaseException: status_error(500, "Internal Server Error"),
    }
)
# Only at the refresh does the document distinguish a token that was valid once from one that never was.
REFRESH_ERRORS: Final = error_table(
    {
        **ERRORS,
        **{
            kind: replace(ERRORS[kind], status=403)
            for kind in (errors.TokenExpired, errors.SessionEnded, errors.UserGone, errors.UserInactive)
        },
    }
)
# At the reset the document has 400 for an invalid body.
RESET_ERRORS: Final = error_table(
    {
        **ERRORS,
        errors.InvalidInput: status_error(400, "Bad Request"),
        errors.NotFound: status_error(404, "There is no user with this email."),
    }
)


def error_body(wire_error: WireError, error: BaseException) -> dict[str, Any]:
    """Return the body of an error as the document's framework has it; invalid fields are a list."""
    if isinstance(error, errors.AlreadyTaken):
        return {"detail": _already_taken(error)}
    if isinstance(error, errors.InvalidInput):
        return {"detail": _field_errors(error)}
    return {"detail": wire_error.message}


def message_body(wire_error: WireError, error: BaseException) -> dict[str, Any]:
    """Return the body of an error whose `detail` is a sentence, for invalid fields too."""
    if isinstance(error, errors.InvalidInput):
        return {"detail": "; ".join(f"{item['loc'][1]}: {item['msg']}" for item in _field_errors(error))}
    return {"detail": wire_error.message}


def _already_taken(error: errors.AlreadyTaken) -> str:
    if "email" in error.errors:
        return "This email is already registered."
    return "This phone number is already registered."


def _field_errors(error: errors.InvalidInput) -> list[dict[str, Any]]:
    return [
        {"loc": ["body", _FIELDS.get(field, field)], **_pydantic_error(field, problem)}
        for field, problems in error.errors.items()
        for problem in problems
    ]


def _pydantic_error(field: str, problem: errors.Problem) -> dict[str, str]:
    """Return a field's problem with the type and the message that the document's framework has for it."""
    match problem.code:
        case "required":
            return {"msg": "Field required", "type": "missing"}
        case "null" | "not_text":
            return {"msg": "Input should be a valid string", "type": "string_type"}
        case "surrogate_characters_not_allowed":
            message = "Input should be a valid string, unable to parse raw data as a unicode string"
            return {"msg": message, "type": "string_unicode"}
        case "password_too_short":
            shortest = active_profile().password.shortest
            return {"msg": f"String should have at least {shortest} characters", "type": "string_too_short"}
        case "max_length":
            return {"msg": str(problem.detail), "type": "string_too_long"}
    if field == "email":
        return {"msg": f"value is not a valid email address: {problem.detail}", "type": "value_error"}
    return {"msg": f"Value error, {problem.detail}", "type": "value_error"}
