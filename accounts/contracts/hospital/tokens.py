"""The hospital contract's tokens: one, valid for a day."""

from datetime import timedelta
from typing import Final

from accounts.contracts import claims
from accounts.contracts.claims import SessionToken
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

NAME: Final = "hospital"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(hours=24), absolute_timeout=timedelta(hours=24))
ACCESS: Final = TokenPolicy("hospital:access", "HS256", "JWT", lifetime=SESSION.absolute_timeout)


def session_of(token: str, origin: Origin) -> Session:
    """Return the active session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    return claims.authenticate(token, ACCESS, origin)


def access_token(session: Session) -> str:
    """Return the session's token, with the claims that the document's services read, and the session's id."""
    user = session.user
    return tokens.sign(
        ACCESS,
        {
            "user_id": user.pk,
            "username": user.username,
            "role": user.role,
            "exp": int(session.expires_at.timestamp()),
            "sid": str(session.pk),
        },
    )


def issue(session: Session) -> SessionToken:
    """Return the session's token and its user."""
    return SessionToken(session.user, access_token(session))


LOGIN: Final = TokenIssuer(SESSION, (ACCESS,), issue)
