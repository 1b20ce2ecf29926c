"""The clinic contract's tokens and words."""

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
from accounts.policies import SessionPolicy, TokenPolicy, active_profile
from accounts.security import tokens
from accounts.services import sessions
from audit.origin import Origin

NAME: Final = "clinic"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=7), absolute_timeout=timedelta(days=7), reuse_ends=False)
ACCESS: Final = TokenPolicy("clinic:access", "HS256", "JWT", lifetime=timedelta(hours=3))

# Who registers here is a patient.
ROLE: Final = "patient"

# The document's names of columns that are called otherwise here.
_FIELDS: Final = {"phone": "phone_number"}


def _says(status: int, message: str) -> WireError:
    """Return the words of an error; the document has no codes but HTTP's."""
    return WireError(status, status, message)


ERRORS: Final[ErrorTable] = MappingProxyType(
    {
        errors.InvalidInput: _says(422, "Unprocessable Entity"),
        errors.AlreadyTaken: _says(400, "This is registered already."),
        errors.NotFound: _says(404, "Not Found"),
        errors.InvalidCredentials: _says(400, "Incorrect email or password."),
        errors.AccountDisabled: _says(403, "This account is disabled."),
        errors.ApprovalPending: _says(403, "This account waits for an administrator's approval."),
        errors.TooManyAttempts: _says(429, "Too many failed attempts. Try again later."),
        errors.TooManyRegistrations: _says(429, "Too many registrations. Try again later."),
        errors.TooManyCodes: _says(429, "A code was sent lately. Try again later."),
        errors.InvalidCode: _says(400, "Invalid code."),
        errors.Overloaded: _says(503, "The service is busy. Try again in a moment."),
        errors.TokenMissing: _says(401, "Not authenticated"),
        errors.TokenMalformed: _says(401, "Not authenticated"),
        errors.TokenInvalid: _says(401, "Could not validate credentials"),
        errors.TokenExpired: _says(401, "The token has expired."),
        errors.SessionEnded: _says(401, "The session has ended."),
        errors.UserGone: _says(401, "The session has ended."),
        errors.UserInactive: _says(401, "The session has ended."),
        errors.TokenReused: _says(401, "The session has ended."),
        errors.PermissionDenied: _says(403, "Forbidden"),
        errors.OwnAccount: _says(403, "Forbidden"),
        errors.LastAdministrator: _says(403, "Forbidden"),
        errors.HTTPSRequired: _says(426, "HTTPS is required."),
        ParseError: _says(400, "The body is not JSON."),
        SuspiciousOperation: _says(400, "Bad Request"),
        NotFound: _says(404, "Not Found"),
        Http404: _says(404, "Not Found"),
        MethodNotAllowed: _says(405, "Method Not Allowed"),
        RequestDataTooBig: _says(413, "The body is too large."),
        UnsupportedMediaType: _says(415, "Unsupported Media Type"),
        OperationalError: _says(503, "The service is unavailable. Try again in a moment."),
        InterfaceError: _says(503, "The service is unavailable. Try again in a moment."),
        BaseException: _says(500, "Internal Server Error"),
    }
)


def failure(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return an error as the document's framework does; wrong fields are a list."""
    if isinstance(error, errors.AlreadyTaken):
        return {"detail": _taken(error)}
    if isinstance(error, errors.InvalidInput):
        return {"detail": _wrong_fields(error)}
    return {"detail": words.message}


def failure_in_a_sentence(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return an error where wrong fields are told in a sentence too."""
    if isinstance(error, errors.InvalidInput):
        return {"detail": "; ".join(f"{item['loc'][1]}: {item['msg']}" for item in _wrong_fields(error))}
    return {"detail": words.message}


def _taken(error: errors.AlreadyTaken) -> str:
    if "email" in error.errors:
        return "This email is registered already."
    return "This phone number is registered already."


def _wrong_fields(error: errors.InvalidInput) -> list[dict[str, Any]]:
    return [
        {"loc": ["body", _FIELDS.get(field, field)], **_in_pydantic_words(field, problem)}
        for field, problems in error.errors.items()
        for problem in problems
    ]


def _in_pydantic_words(field: str, problem: errors.Problem) -> dict[str, str]:
    """Return a field's problem under the name and in the sentence that the document's framework has for it."""
    match problem.code:
        case "required":
            return {"msg": "Field required", "type": "missing"}
        case "null" | "not_text":
            return {"msg": "Input should be a valid string", "type": "string_type"}
        case "surrogate_characters_not_allowed":
            sentence = "Input should be a valid string, unable to parse raw data as a unicode string"
            return {"msg": sentence, "type": "string_unicode"}
        case "password_too_short":
            shortest = active_profile().password.shortest
            return {"msg": f"String should have at least {shortest} characters", "type": "string_too_short"}
        case "max_length":
            return {"msg": problem.detail, "type": "string_too_long"}
    if field == "email":
        return {"msg": f"value is not a valid email address: {problem.detail}", "type": "value_error"}
    return {"msg": f"Value error, {problem.detail}", "type": "value_error"}


def _row_and_generation(token: str) -> tuple[UUID, int]:
    """Return the session that a token names, and which of its tokens it is. Raises TokenInvalid and TokenExpired."""
    claims = tokens.read(ACCESS, token)
    generation = claims.get("generation")
    if not isinstance(generation, int):
        raise errors.TokenInvalid
    try:
        return UUID(claims["sid"]), generation
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.TokenInvalid from error


def session_of(token: str) -> Session:
    """Return the live session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    session_id, generation = _row_and_generation(token)
    return sessions.authenticate(session_id=session_id, contract=NAME, generation=generation)


def refresh(token: str, origin: Origin) -> Session:
    """Spend a token and return its session. Raises what `session_of` raises."""
    session_id, generation = _row_and_generation(token)
    return sessions.refresh(session_id=session_id, generation=generation, policy=SESSION, origin=origin)


def token_answer(session: Session) -> dict[str, Any]:
    """Return the session's newest token, which follows from its row alone, and its life in minutes."""
    issued = int(session.rotated_at.timestamp())
    expires = min(issued + int(ACCESS.lifetime.total_seconds()), int(session.expires_at.timestamp()))
    claims = {
        "sub": str(session.user_id),
        "sid": str(session.pk),
        "generation": session.generation,
        "iat": issued,
        "exp": expires,
    }
    return {
        "access_token": tokens.sign(ACCESS, claims),
        "token_type": "bearer",
        "expires_in": (expires - issued) // 60,
    }


CONTRACT: Final = Contract(name=NAME, errors=ERRORS, envelope=failure, session_of=session_of)
# The document tells a token that was good once from one that never was, at the refresh alone.
REFRESH: Final = replace(
    CONTRACT,
    errors=MappingProxyType(
        {
            **ERRORS,
            **{
                kind: replace(ERRORS[kind], status=403)
                for kind in (errors.TokenExpired, errors.SessionEnded, errors.UserGone, errors.UserInactive)
            },
        }
    ),
)
# The reset has 400 for a malformed body.
RESET: Final = replace(
    CONTRACT,
    errors=MappingProxyType(
        {
            **ERRORS,
            errors.InvalidInput: _says(400, "Bad Request"),
            errors.NotFound: _says(404, "There is no user with this email."),
        }
    ),
    envelope=failure_in_a_sentence,
)
