"""The clinic contract's tokens: one, which the client itself exchanges for the next."""

from datetime import timedelta
from typing import Any, Final

from accounts.contracts import claims
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

NAME: Final = "clinic"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=7), absolute_timeout=timedelta(days=7), reuse_ends=False)
ACCESS: Final = TokenPolicy("clinic:access", "HS256", "JWT", lifetime=timedelta(hours=3))


def session_of(token: str, origin: Origin) -> Session:
    """Return the active session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    return claims.authenticate_rotating(token, ACCESS, origin)


def refresh(token: str, origin: Origin) -> Session:
    """Spend a token and return its session. Raises what `session_of` raises."""
    return claims.refresh(token, ACCESS, SESSION, origin)


def token_and_lifetime(session: Session) -> dict[str, Any]:
    """Return the session's current token, made from its row alone, and its lifetime in minutes."""
    issued = int(session.rotated_at.timestamp())
    expires = min(issued + int(ACCESS.lifetime.total_seconds()), int(session.expires_at.timestamp()))
    token = {
        "sub": str(session.user_id),
        "sid": str(session.pk),
        "generation": session.generation,
        "iat": issued,
        "exp": expires,
    }
    return {"access_token": tokens.sign(ACCESS, token), "expires_in": (expires - issued) // 60}


LOGIN: Final = TokenIssuer(SESSION, (ACCESS,), token_and_lifetime)
