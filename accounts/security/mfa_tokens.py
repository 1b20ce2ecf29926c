"""Tokens of a login that waits for the second factor, or for the enrolment of one."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.errors import TokenInvalid
from accounts.models import SpentToken, User
from accounts.policies import MFA_TOKEN_LIFE, TokenPolicy
from accounts.security import tokens

# Two types, so that neither opens what the other does.
LOGIN: Final = TokenPolicy("native:mfa", "HS256", "mfa+jwt", MFA_TOKEN_LIFE)
ENROLLMENT: Final = TokenPolicy("native:mfa", "HS256", "mfa-enrollment+jwt", MFA_TOKEN_LIFE)


@dataclass(frozen=True, slots=True)
class MfaToken:
    """What a token says: whose password was right, in which contract, and until when it is of use."""

    user_id: int
    username_key: str
    version: str
    contract: str
    id: str
    expires_at: datetime

    def is_of(self, user: User) -> bool:
        """Return whether the token is of this user, whose password, role and state are as they were."""
        return user.pk == self.user_id and constant_time_compare(self.version, _version(user))

    def spent(self) -> SpentToken:
        """Return the row that says that the token has served."""
        return SpentToken(id=self.id, expires_at=self.expires_at)


def issue(policy: TokenPolicy, user: User, contract: str) -> str:
    """Return a token for a user whose password was right."""
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
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def _version(user: User) -> str:
    """Return what changes with the user's stamp and does not disclose it."""
    return salted_hmac("accounts.mfa_tokens", user.stamp, algorithm="sha256").hexdigest()[:32]
