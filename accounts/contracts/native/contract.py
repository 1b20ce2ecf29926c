"""The native contract's tokens and words."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import Contract, ErrorTable, WireError
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services import sessions
from audit.origin import Origin

NAME: Final = "native"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=14), absolute_timeout=timedelta(days=30))
ACCESS: Final = TokenPolicy("native:access", "ES256", "at+jwt", lifetime=timedelta(minutes=15))
# For this service alone: its key is never published, so that no reader of the JWKS takes it for an access token.
REFRESH: Final = TokenPolicy("native:refresh", "HS256", "refresh+jwt", lifetime=SESSION.absolute_timeout)

# The roles that document 003 names.
ROLES: Final = frozenset({"pharmacy", "supplier", "logistics", "regulator", "unauth"})

ERRORS: Final[ErrorTable] = MappingProxyType(
    {
        errors.InvalidInput: WireError(400, "invalid_input", "Some fields are missing or wrong; see errors."),
        errors.AlreadyTaken: WireError(409, "already_taken", "Another account has this already; see errors."),
        errors.NotFound: WireError(404, "not_found", "There is nothing at this address."),
        errors.InvalidCredentials: WireError(401, "invalid_credentials", "The user name or the password is wrong."),
        errors.AccountDisabled: WireError(403, "account_disabled", "This account is disabled. Ask an administrator."),
        errors.ApprovalPending: WireError(
            403, "approval_pending", "This account waits for an administrator's approval."
        ),
        errors.TooManyAttempts: WireError(429, "too_many_attempts", "Too many failed attempts. Wait, then try again."),
        errors.TooManyRegistrations: WireError(
            429, "too_many_registrations", "Too many accounts were registered from this address. Try again later."
        ),
        errors.TooManyCodes: WireError(429, "too_many_codes", "A code was sent lately. Wait, then ask for the next."),
        errors.InvalidCode: WireError(400, "invalid_code", "This code is wrong, expired or used. Ask for a new one."),
        errors.Overloaded: WireError(503, "overloaded", "The service is busy. Try again in a moment."),
        errors.TokenMissing: WireError(401, "token_missing", "Send the access token as Authorization: Bearer <token>."),
        errors.TokenMalformed: WireError(
            401, "token_missing", "Send the access token as Authorization: Bearer <token>."
        ),
        errors.TokenInvalid: WireError(401, "token_invalid", "This token is not valid here. Log in again."),
        errors.TokenExpired: WireError(401, "token_expired", "This token has expired. Refresh it, or log in again."),
        errors.SessionEnded: WireError(401, "session_ended", "This session has ended. Log in again."),
        errors.UserGone: WireError(401, "session_ended", "This session has ended. Log in again."),
        errors.UserInactive: WireError(401, "session_ended", "This session has ended. Log in again."),
        errors.TokenReused: WireError(
            401, "token_reused", "This refresh token was used before, so its session has ended. Log in again."
        ),
        errors.PermissionDenied: WireError(403, "permission_denied", "Your account may not do this."),
        errors.OwnAccount: WireError(403, "own_account", "You cannot deactivate your own account or change its role."),
        errors.LastAdministrator: WireError(
            403, "last_administrator", "The last active administrator cannot be deactivated or demoted."
        ),
        errors.HTTPSRequired: WireError(426, "https_required", "This service answers over HTTPS only."),
        ParseError: WireError(400, "malformed_body", "The body is not the JSON object that this needs."),
        SuspiciousOperation: WireError(400, "bad_request", "The request is malformed."),
        NotFound: WireError(404, "not_found", "There is nothing at this address."),
        Http404: WireError(404, "not_found", "There is nothing at this address."),
        MethodNotAllowed: WireError(405, "method_not_allowed", "This address does not take that method; see Allow."),
        RequestDataTooBig: WireError(413, "body_too_large", "The body is larger than anything this service takes."),
        UnsupportedMediaType: WireError(415, "unsupported_media_type", "Send the body as application/json."),
        OperationalError: WireError(
            503, "unavailable", "The service cannot reach its database. Try again in a moment."
        ),
        InterfaceError: WireError(503, "unavailable", "The service cannot reach its database. Try again in a moment."),
        BaseException: WireError(500, "internal_error", "Something went wrong here. The request id helps to find it."),
    }
)


def problem(words: WireError, error: BaseException) -> dict[str, Any]:
    """Return an error as problem details (RFC 9457); fields that are wrong are named in `errors`."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(words.status).phrase,
        "status": words.status,
        "detail": str(error.detail) if isinstance(error, ParseError) else words.message,
        "code": words.code,
    }
    if isinstance(error, errors.InvalidInput):
        body["errors"] = {
            field: [{"code": item.code, "detail": item.detail} for item in items]
            for field, items in error.errors.items()
        }
    return body


def _session_id(claims: Mapping[str, Any]) -> UUID:
    try:
        return UUID(claims["sid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.TokenInvalid from error


def session_of(token: str) -> Session:
    """Return the live session of an access token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    return sessions.authenticate(session_id=_session_id(tokens.read(ACCESS, token)), contract=NAME)


def refresh(token: str, origin: Origin) -> Session:
    """Spend a refresh token and return its session. Raises what `session_of` raises, and TokenReused."""
    claims = tokens.read(REFRESH, token)
    generation = claims.get("generation")
    if not isinstance(generation, int):
        raise errors.TokenInvalid
    return sessions.refresh(session_id=_session_id(claims), generation=generation, policy=SESSION, origin=origin)


def token_pair(session: Session) -> dict[str, Any]:
    """Return a fresh access token, and the refresh token that follows from the session's row alone."""
    now = int(timezone.now().timestamp())
    user = session.user
    access = {
        "sub": str(user.pk),
        "username": user.username,
        "role": user.role,
        "sid": str(session.pk),
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + int(ACCESS.lifetime.total_seconds()),
    }
    spent_once = {
        "sid": str(session.pk),
        "generation": session.generation,
        "iat": int(session.rotated_at.timestamp()),
        "exp": int(session.expires_at.timestamp()),
    }
    return {
        "access_token": tokens.sign(ACCESS, access),
        "refresh_token": tokens.sign(REFRESH, spent_once),
        "token_type": "Bearer",
        "expires_in": int(ACCESS.lifetime.total_seconds()),
    }


CONTRACT: Final = Contract(
    name=NAME, errors=ERRORS, envelope=problem, session_of=session_of, media_type="application/problem+json"
)
