"""From a token's claims to its session, for the contracts' `tokens.py`.

Every token names its session in `sid`; a token that is replaced at each refresh has its number in `generation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from accounts.errors import TokenInvalid
from accounts.models import Session, User
from accounts.policies import SessionPolicy, TokenPolicy
from accounts.security import tokens
from accounts.services import sessions, token_refresh
from audit.origin import Origin

# The largest that the session's column holds.
_LAST_GENERATION: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The token of a session and its user, for contracts with one token."""

    user: User
    token: str


def _session_id(claims: Mapping[str, Any]) -> UUID:
    try:
        return UUID(claims["sid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TokenInvalid from error


def _generation(claims: Mapping[str, Any]) -> int:
    generation = claims.get("generation")
    if not isinstance(generation, int) or not 0 <= generation <= _LAST_GENERATION:
        raise TokenInvalid
    return generation


def authenticate(token: str, access: TokenPolicy, origin: Origin) -> Session:
    """Return the active session of an access token that is valid as long as its session is.

    Raises TokenInvalid, TokenExpired, SessionEnded and UserGone.
    """
    return sessions.authenticate(session_id=_session_id(tokens.read(access, token)), origin=origin)


def authenticate_rotating(token: str, access: TokenPolicy, origin: Origin) -> Session:
    """Return the active session of an access token that the next refresh replaces.

    The use of one that is replaced already is recorded. Raises what `authenticate` does.
    """
    claims = tokens.read(access, token)
    return sessions.authenticate(session_id=_session_id(claims), origin=origin, generation=_generation(claims))


def refresh(token: str, refreshed: TokenPolicy, policy: SessionPolicy, origin: Origin) -> Session:
    """Replace a token of the session by its next one and return the session.

    Raises what `authenticate` raises, and TokenReused.
    """
    claims = tokens.read(refreshed, token)
    return token_refresh.refresh(
        session_id=_session_id(claims), generation=_generation(claims), policy=policy, origin=origin
    )
