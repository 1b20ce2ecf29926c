"""The hospital contract's tokens and words."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import Contract, ErrorTable, WireError
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services import sessions

NAME: Final = "hospital"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(hours=24), absolute_timeout=timedelta(hours=24))
ACCESS: Final = TokenPolicy("hospital:access", "HS256", "JWT", lifetime=SESSION.absolute_timeout)

# The roles that document 000 names.
ROLES: Final = frozenset({"admin", "doctor", "researcher", "viewer"})

_NOT_GIVEN: Final = frozenset({"required", "null", "blank"})


def _says(status: int, message: str) -> WireError:
    """Return the words of an error; the document has no codes but HTTP's."""
    return WireError(status, status, message)


ERRORS: Final[ErrorTable] = MappingProxyType(
    {
        errors.InvalidInput: _says(400, "Invalid input"),
        errors.AlreadyTaken: _says(400, "Already exists"),
        errors.NotFound: _says(404, "Not found"),
        errors.InvalidCredentials: _says(401, "Invalid username or password"),
        errors.AccountDisabled: _says(401, "Account is disabled"),
        errors.ApprovalPending: _says(401, "Account is disabled"),
        errors.TooManyAttempts: _says(429, "Too many failed attempts, try again later"),
        errors.TooManyRegistrations: _says(429, "Too many registrations, try again later"),
        errors.TooManyCodes: _says(429, "A code was sent lately, try again later"),
        errors.InvalidCode: _says(400, "Invalid code"),
        errors.Overloaded: _says(503, "Service is busy, try again in a moment"),
        errors.TokenMissing: _says(401, "Token is missing"),
        errors.TokenMalformed: _says(401, "Invalid token format"),
        errors.TokenInvalid: _says(401, "Invalid token"),
        errors.TokenExpired: _says(401, "Token has expired"),
        errors.SessionEnded: _says(401, "Invalid token"),
        errors.UserGone: _says(401, "User not found or inactive"),
        errors.UserInactive: _says(401, "User not found or inactive"),
        errors.TokenReused: _says(401, "Invalid token"),
        errors.PermissionDenied: _says(403, "Insufficient permissions"),
        errors.OwnAccount: _says(403, "Insufficient permissions"),
        errors.LastAdministrator: _says(403, "Insufficient permissions"),
        errors.HTTPSRequired: _says(426, "HTTPS is required"),
        ParseError: _says(400, "Invalid JSON"),
        SuspiciousOperation: _says(400, "Bad request"),
        NotFound: _says(404, "Not found"),
        Http404: _says(404, "Not found"),
        MethodNotAllowed: _says(405, "Method not allowed"),
        RequestDataTooBig: _says(413, "Request body is too large"),
        UnsupportedMediaType: _says(415, "Content-Type must be application/json"),
        OperationalError: _says(503, "Service is unavailable, try again in a moment"),
        InterfaceError: _says(503, "Service is unavailable, try again in a moment"),
        BaseException: _says(500, "Internal server error"),
    }
)


def failure(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return an error in the document's envelope."""
    return {"success": False, "message": words.message}


def failure_of_a_field(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return an error in the document's envelope; of wrong fields it names the first, missing ones before others."""
    message = words.message
    if isinstance(error, errors.AlreadyTaken):
        message = f"{next(iter(error.errors)).capitalize()} already exists"
    elif isinstance(error, errors.InvalidInput):
        message = _first_wrong(error)
    return {"success": False, "message": message}


def _first_wrong(error: errors.InvalidInput) -> str:
    for field, problems in error.errors.items():
        if problems[0].code in _NOT_GIVEN:
            return f"Field {field} is required"
    field, problems = next(iter(error.errors.items()))
    return f"Field {field} is invalid: {problems[0].detail}"


def session_of(token: str) -> Session:
    """Return the live session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    claims = tokens.read(ACCESS, token)
    try:
        session_id = UUID(claims["sid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.TokenInvalid from error
    return sessions.authenticate(session_id=session_id, contract=NAME)


def token_of(session: Session) -> str:
    """Return the session's one token, with the claims that the document's own services read, and the session."""
    user = session.user
    claims = {
        "user_id": user.pk,
        "username": user.username,
        "role": user.role,
        "exp": int(session.expires_at.timestamp()),
        "sid": str(session.pk),
    }
    return tokens.sign(ACCESS, claims)


CONTRACT: Final = Contract(name=NAME, errors=ERRORS, envelope=failure_of_a_field, session_of=session_of)
# The login has one sentence for whatever it is not given.
LOGIN: Final = replace(
    CONTRACT,
    errors=MappingProxyType({**ERRORS, errors.InvalidInput: _says(400, "Username and password are required")}),
    envelope=failure,
)
