"""The stage of a sign-in between the password and the decision: is there a second factor, and is it the right one?

What matches is a `Proof`; what serves once in it is spent in the transaction that settles the login.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.errors import InvalidSecondFactor
from accounts.models import FactorType, RecoveryCode, SecondFactor, User
from accounts.policies import TOTP_DIGITS
from accounts.security import authenticators, challenges, recovery_codes, totp

# No account has this id.
_NOBODY: Final = 0
_LAST_STEP: Final = 2**62


class FactorStep(Enum):
    """When a client enters the code of a second factor."""

    # In a request of its own, or beside the password.
    SEPARATE = "separate"
    # Right after the password, in its field: the client was written without a second factor.
    IN_PASSWORD = "in_password"  # noqa: S105 This names a place, not a password.
    # Never: the user has a session already, and confirms only the password.
    NEVER = "never"


class SingleUse(Protocol):
    """What serves once."""

    def spend(self, now: datetime) -> bool:
        """Return whether it had not served before. Inside the transaction that relies on it."""
        ...


@dataclass(frozen=True, slots=True)
class TotpStep:
    factor_id: int
    step: int

    def spend(self, now: datetime) -> bool:
        return SecondFactor.objects.use_step(self.factor_id, self.step, now)


@dataclass(frozen=True, slots=True)
class SignatureCounter:
    factor_id: int
    former_count: int
    count: int

    def spend(self, now: datetime) -> bool:
        return SecondFactor.objects.use_signature(self.factor_id, self.former_count, self.count, now)


@dataclass(frozen=True, slots=True)
class UsedRecoveryCode:
    code_id: int

    def spend(self, now: datetime) -> bool:
        return bool(RecoveryCode.objects.filter(pk=self.code_id).delete()[0])


@dataclass(frozen=True, slots=True)
class Proof:
    """How a user has authenticated: the methods (RFC 8176), the type of the second factor, and what is to be spent.

    `session_id` is the id of the only session that may come of it.
    """

    methods: tuple[str, ...] = ("pwd",)
    factor: FactorType | None = None
    uses: tuple[SingleUse, ...] = ()
    session_id: UUID | None = None


PASSWORD: Final = Proof()


def is_required(user: User) -> bool:
    """Return whether the user's role must have a second factor."""
    return user.role in settings.MFA_REQUIRED_ROLES


def split(password: str, factors: frozenset[FactorType]) -> tuple[str, str | None]:
    """Return the password and the code of what a client without a field for the code sends as the password.

    The last six digits are a code if the account has an authenticator app, whether or not either is right.
    """
    rest, code = password[:-TOTP_DIGITS], password[-TOTP_DIGITS:]
    if FactorType.TOTP in factors and totp.is_code(code):
        return rest, code
    return password, None


def type_of_code(code: str) -> FactorType:
    """Return what a code would be a code of, by its form."""
    return FactorType.RECOVERY_CODE if recovery_codes.normalized(code) else FactorType.TOTP


def check_code(*, user: User, code: str) -> Proof:
    """Return the proof that a code of an authenticator app, or a recovery code, gives beside the password.

    Raises InvalidSecondFactor and Overloaded.
    """
    if normalized := recovery_codes.normalized(code):
        row = recovery_codes.matching(user, normalized)
        if row is None:
            raise InvalidSecondFactor
        return Proof(("pwd", "otp", "mfa"), FactorType.RECOVERY_CODE, (UsedRecoveryCode(row.pk),))
    if used := _time_step(user.pk, code):
        return Proof(("pwd", "otp", "mfa"), FactorType.TOTP, (used,))
    raise InvalidSecondFactor


def imitate_check(password: str) -> None:
    """Do for a refused password the work that `check_code` does for a wrong code in its field.

    Otherwise the time of a refusal would say that the password was right.
    """
    code = password[-TOTP_DIGITS:]
    if totp.is_code(code):
        _time_step(_NOBODY, code)
        totp.unspent_step(_unused_app(), code, timezone.now())


def _time_step(user_id: int, code: str) -> TotpStep | None:
    now = timezone.now()
    for factor in SecondFactor.objects.in_force().filter(user=user_id, type=FactorType.TOTP):
        if step := totp.unspent_step(factor, code, now):
            return TotpStep(factor.pk, step)
    return None


def _unused_app() -> SecondFactor:
    """Return an authenticator app whose codes nobody has: every step has served."""
    return SecondFactor(encrypted=_unused_secret(settings.SECRET_KEY), last_step=_LAST_STEP)


@cache
def _unused_secret(secret_key: str) -> str:
    return totp.encrypted(totp.new_secret())


def check_assertion(*, factor: SecondFactor | None, credential: Mapping[str, Any], use: str, alone: bool) -> Proof:
    """Return the proof that an authenticator's answer gives, beside the password or `alone`, with its user verified.

    A challenge that is answered alone has no token that serves once, and is spent itself. Raises InvalidSecondFactor.
    """
    if factor is None:
        raise InvalidSecondFactor
    assertion = authenticators.verified_assertion(factor, credential, use, timezone.now(), verified=alone)
    used = SignatureCounter(factor.pk, factor.sign_count, assertion.sign_count)
    user = ("user",) if assertion.user_verified else ()
    if alone:
        return Proof(("hwk", *user, "mfa"), FactorType.WEBAUTHN, (used, challenges.spent(assertion.challenge)))
    return Proof(("pwd", "hwk", *user, "mfa"), FactorType.WEBAUTHN, (used,))


def credential_of(*, credential: Mapping[str, Any], user: User | None = None) -> SecondFactor | None:
    """Return the factor in force that an answer names, of this user if one is given. Raises InvalidSecondFactor."""
    found = SecondFactor.objects.in_force().select_related("user")
    factor = found.filter(credential_digest=authenticators.digest(authenticators.credential_id(credential))).first()
    return factor if factor and user in (None, factor.user) else None
