"""The native contract's tokens: an access token, and a refresh token that is replaced at each use."""

import secrets
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from accounts.contracts import claims
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

NAME: Final = "native"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=14), absolute_timeout=timedelta(days=30))
ACCESS: Final = TokenPolicy("native:access", "ES256", "at+jwt", lifetime=timedelta(minutes=15))
# Only this service reads it. Its key is not published, so that no reader of the JWKS accepts it as an access token.
REFRESH: Final = TokenPolicy("native:refresh", "HS256", "refresh+jwt", lifetime=SESSION.absolute_timeout)


def session_of(token: str, origin: Origin) -> Session:
    """Return the active session of an access token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    return claims.authenticate(token, ACCESS, origin)


def session_of_refresh_token(token: str, origin: Origin) -> Session:
    """Return the active session of a refresh token, spent or not. Raises what `session_of` raises."""
    return claims.authenticate(token, REFRESH, origin)


def refresh(token: str, origin: Origin) -> Session:
    """Spend a refresh token and return its session. Raises what `session_of` raises, and TokenReused."""
    LOGIN.require_keys()
    return claims.refresh(token, REFRESH, SESSION, origin)


def token_pair(session: Session) -> dict[str, Any]:
    """Return a new access token, the refresh token, made from the session's row, and both lifetimes in seconds."""
    now = int(timezone.now().timestamp())
    user = session.user
    access = {
        "iss": settings.ISSUER,
        "sub": str(user.pk),
        "username": user.username,
        "role": user.role,
        "sid": str(session.pk),
        "amr": session.methods.split(),
        "auth_time": int(session.created_at.timestamp()),
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + int(ACCESS.lifetime.total_seconds()),
    }
    refresh = {
        "sid": str(session.pk),
        "generation": session.generation,
        "iat": int(session.rotated_at.timestamp()),
        "exp": int(session.expires_at.timestamp()),
    }
    return {
        "access_token": tokens.sign(ACCESS, access),
        "refresh_token": tokens.sign(REFRESH, refresh),
        "expires_in": int(ACCESS.lifetime.total_seconds()),
        "refresh_expires_in": int(session.expires_at.timestamp()) - now,
    }


def issue(session: Session) -> dict[str, Any]:
    """Return the session's tokens and its user."""
    return {**token_pair(session), "user": session.user}


LOGIN: Final = TokenIssuer(SESSION, (ACCESS, REFRESH), issue)
