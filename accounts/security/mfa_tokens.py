"""Tokens of a login that waits for the second factor, for the enrolment of one, or for a new password."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.errors import TokenInvalid
from accounts.models import User
from accounts.policies import MFA_TOKEN_LIFE, TokenPolicy
from accounts.security import tokens

# Types of their own, so that none opens what another does.
LOGIN: Final = TokenPolicy("native:mfa", "HS256", "mfa+jwt", MFA_TOKEN_LIFE)
ENROLLMENT: Final = TokenPolicy("native:mfa", "HS256", "mfa-enrollment+jwt", MFA_TOKEN_LIFE)
PASSWORD_CHANGE: Final = TokenPolicy("native:mfa", "HS256", "password-change+jwt", MFA_TOKEN_LIFE)


@dataclass(frozen=True, slots=True)
class MfaToken:
    """What a token says: whose password was right, in which contract, and which session it is for."""

    user_id: int
    username_key: str
    version: str
    contract: str
    id: str

    def is_of(self, user: User) -> bool:
        """Return whether the token is of this user, whose password, role and state are as they were."""
        return user.pk == self.user_id and constant_time_compare(self.version, _version(user))

    @property
    def session_id(self) -> UUID:
        """The id of the session that the token is for: as there is one of an id, the token serves once."""
        return UUID(bytes=hashlib.sha256(self.id.encode()).digest()[:16], version=4)


def issue(policy: TokenPolicy, user: User, contract: str) -> str:
    """Return a token for a user whose password was right, and the second factor too where it changes the password."""
    now = int(timezone.now().timestamp())
    claims = {
        "sub": str(user.pk),
        "name": user.username_key,
        "version": _version(user),
        "contract": contract,
        "jti": secrets.token_urlsafe(24),
        "iat": now,
        "exp": now + int(policy.lifetime.total_seconds()),
    }
    return tokens.sign(policy, claims)


def read(policy: TokenPolicy, token: str, contract: str) -> MfaToken:
    """Return what a token of this contract says. Raises TokenInvalid and TokenExpired."""
    claims = tokens.read(policy, token)
    if claims["contract"] != contract:
        raise TokenInvalid
    return MfaToken(
        user_id=int(claims["sub"]),
        username_key=claims["name"],
        version=claims["version"],
        contract=contract,
        id=claims["jti"],
    )


def _version(user: User) -> str:
    """Return what changes with the user's stamp and does not disclose it."""
    return salted_hmac("accounts.mfa_tokens", user.stamp, algorithm="sha256").hexdigest()[:32]
