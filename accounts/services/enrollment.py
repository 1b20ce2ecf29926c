"""Enrolment of a first second factor by a user whose login waits for it, and the login that follows at once.

A role obliges its users to have one. The token of such a login opens nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.utils import timezone

from accounts.errors import IdentityError, TokenInvalid
from accounts.models import FactorType, SecondFactor, User
from accounts.security import mfa_tokens
from accounts.security.mfa_tokens import MfaToken
from accounts.security.quota import spend_own_change
from accounts.services import second_factors, second_step
from accounts.services.second_factors import Enrollment, TotpSetup
from accounts.services.second_step import EnrolledFactor
from accounts.services.sign_in import LoginRule
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LoginAfterEnrollment(Generic[T]):
    """The recovery codes of a factor that is in force, and what was issued; None where the login was refused."""

    recovery_codes: list[str]
    issued: T | None


def begin_app(*, token: str, origin: Origin) -> TotpSetup:
    """Make the secret of an authenticator app. Raises TokenInvalid, TokenExpired and TooManyChanges."""
    user = authenticate(token=token, origin=origin)
    spend_own_change(user.pk, timezone.now(), proved=True)
    return second_factors.new_app(user=user)


def authenticate(*, token: str, origin: Origin) -> User:
    """Return the user of an enrolment token, who has entered the password and has no second factor.

    The token ends with the first factor, and with every change that ends sessions. Raises TokenInvalid and
    TokenExpired.
    """
    return _user(_read(token, origin))


def confirm_app(
    *, token: str, factor_id: int, code: str, issuer: TokenIssuer[T], origin: Origin, rule: LoginRule
) -> LoginAfterEnrollment[T]:
    """Put an authenticator app into force and log its user in. Raises TokenInvalid, and what `confirm_app` raises."""
    mfa_token = _read(token, origin)
    enrolled = second_factors.confirm_app(
        user=_user(mfa_token), factor_id=factor_id, code=code, first=True, origin=origin
    )
    return _log_in(mfa_token, enrolled, issuer, origin, rule)


def creation_options(*, token: str, origin: Origin) -> dict[str, Any]:
    """Return the WebAuthn options for a passkey or a security key. Raises TokenInvalid and TokenExpired."""
    return second_factors.new_credential_options(user=authenticate(token=token, origin=origin))


def add_credential(
    *, token: str, credential: Mapping[str, Any], name: str, issuer: TokenIssuer[T], origin: Origin, rule: LoginRule
) -> LoginAfterEnrollment[T]:
    """Put a passkey or a security key into force and log its user in.

    Raises TokenInvalid, TokenExpired, and what `second_factors.add_credential` raises.
    """
    mfa_token = _read(token, origin)
    enrolled = second_factors.add_credential(
        user=_user(mfa_token), credential=credential, name=name, first=True, origin=origin
    )
    return _log_in(mfa_token, enrolled, issuer, origin, rule)


def _read(token: str, origin: Origin) -> MfaToken:
    return mfa_tokens.read(mfa_tokens.ENROLLMENT, token, origin.contract)


def _user(token: MfaToken) -> User:
    """Return the user of a token, whose account has not changed since and has no factor. Raises TokenInvalid."""
    user: User | None = User.objects.filter(pk=token.user_id).first()
    if user is None or not (token.is_of(user) and user.may_log_in()):
        raise TokenInvalid
    if SecondFactor.objects.in_force().filter(user=user).exists():
        raise TokenInvalid
    return user


def _log_in(
    token: MfaToken, enrolled: Enrollment, issuer: TokenIssuer[T], origin: Origin, rule: LoginRule
) -> LoginAfterEnrollment[T]:
    """Log the user in by the factor just enrolled; nobody else can have enrolled it, so the token stands for it.

    The recovery codes are shown this once, whether or not the login is refused, for instance by a lock.
    """
    answer = EnrolledFactor(FactorType(enrolled.factor.type))
    try:
        issued = second_step.log_in(token=token, answer=answer, issuer=issuer, origin=origin, rule=rule)
    except IdentityError:
        return LoginAfterEnrollment(enrolled.recovery_codes or [], None)
    return LoginAfterEnrollment(enrolled.recovery_codes or [], issued)
