"""The union contract's tokens: one, which is renewed in the responses to requests."""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.contracts import claims
from accounts.contracts.claims import SessionToken
from accounts.models import Session
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

NAME: Final = "union"

SESSION: Final = SessionPolicy(idle_timeout=timedelta(days=7), absolute_timeout=timedelta(days=7))
ACCESS: Final = TokenPolicy("union:access", "HS384", "JWT", lifetime=timedelta(hours=24))


def session_of(token: str, origin: Origin) -> Session:
    """Return the active session of a token. Raises TokenInvalid, TokenExpired, SessionEnded and UserGone."""
    return claims.authenticate(token, ACCESS, origin)


def access_token(session: Session) -> str:
    """Return a new token, which expires with its session at the latest."""
    user, now = session.user, timezone.now()
    return tokens.sign(
        ACCESS,
        {
            "userId": user.pk,
            "username": user.username,
            "role": user.role.upper(),
            "sub": user.username,
            "sid": str(session.pk),
            "iat": int(now.timestamp()),
            "exp": int(_expiry(session, now).timestamp()),
        },
    )


def renewal(token: str, session: Session) -> dict[str, str]:
    """Return the response header with a new token of the session, once half of the token's lifetime is over."""
    exp, now = tokens.read(ACCESS, token)["exp"], timezone.now()
    remaining = timedelta(seconds=exp - now.timestamp())
    # Towards the session's end a new token would not be valid for longer.
    if remaining <= ACCESS.lifetime / 2 and int(_expiry(session, now).timestamp()) > exp:
        return {"Authorization": f"Bearer {access_token(session)}"}
    return {}


def _expiry(session: Session, now: datetime) -> datetime:
    return min(now + ACCESS.lifetime, session.expires_at)


def issue(session: Session) -> SessionToken:
    """Return the session's token and its user."""
    return SessionToken(session.user, access_token(session))


LOGIN: Final = TokenIssuer(SESSION, (ACCESS,), issue)
