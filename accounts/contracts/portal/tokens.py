"""The portal contract's tokens: one, which the client itself exchanges for the next."""

from datetime import timedelta
from typing import Final

from accounts.contracts import claims
from accounts.contracts.claims import SessionToken
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

NAME: Final = "portal"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=7), absolute_timeout=timedelta(days=7), reuse_ends=False)
ACCESS: Final = TokenPolicy("portal:access", "HS256", "JWT", lifetime=timedelta(hours=2))


def session_of(token: str, origin: Origin) -> Session:
    """Return the active session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    return claims.authenticate_rotating(token, ACCESS, origin)


def refresh(token: str, origin: Origin) -> Session:
    """Spend a token and return its session. Raises what `session_of` raises."""
    return claims.refresh(token, ACCESS, SESSION, origin)


def access_token(session: Session) -> str:
    """Return the session's current token, made from its row alone: the same row gives the same token."""
    user, issued = session.user, session.rotated_at
    return tokens.sign(
        ACCESS,
        {
            "user_id": user.pk,
            "username": user.username,
            "sid": str(session.pk),
            "generation": session.generation,
            "iat": int(issued.timestamp()),
            "exp": int(min(issued + ACCESS.lifetime, session.expires_at).timestamp()),
        },
    )


def issue(session: Session) -> SessionToken:
    """Return the session's token and its user."""
    return SessionToken(session.user, access_token(session))


LOGIN: Final = TokenIssuer(SESSION, (ACCESS,), issue)
