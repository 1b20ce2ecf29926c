"""Logins whose second factor comes in a request of its own, after the password."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from django.utils import timezone

from accounts.errors import InvalidSecondFactor, TokenInvalid
from accounts.models import FactorType, SecondFactor, User
from accounts.security import authenticators, mfa_tokens
from accounts.security.mfa_tokens import MfaToken
from accounts.services import factor_check
from accounts.services.attempts import Attempt, PasswordCheck, identify, limit_parallel, reserve
from accounts.services.factor_check import Proof
from accounts.services.identifiers import Identifier
from accounts.services.settlement import AuthenticatedUser, Refusal, settle, wrong_factor
from accounts.services.sign_in import (
    LoginRule,
    cancelled_on_error,
    decide,
    prepare_login,
    recorded_lockout,
    require_login,
)
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SubmittedCode:
    """A code of an authenticator app, or a recovery code."""

    code: str

    @property
    def type(self) -> FactorType:
        return factor_check.type_of_code(self.code)

    def proof(self, user: User, token: MfaToken) -> Proof:
        """Return the proof that the answer gives. Raises InvalidSecondFactor and Overloaded."""
        return factor_check.check_code(user=user, code=self.code)


@dataclass(frozen=True, slots=True)
class SubmittedAssertion:
    """What a browser returns for `options`."""

    credential: Mapping[str, Any]
    type: FactorType = FactorType.WEBAUTHN

    def proof(self, user: User, token: MfaToken) -> Proof:
        """Return the proof that the answer gives. Raises InvalidSecondFactor."""
        factor = factor_check.credential_of(credential=self.credential, user=user)
        return factor_check.check_assertion(factor=factor, credential=self.credential, use=_use(token), alone=False)


@dataclass(frozen=True, slots=True)
class EnrolledFactor:
    """A factor that the user has enrolled by the token, in the same request."""

    type: FactorType

    def proof(self, user: User, token: MfaToken) -> Proof:
        method = "otp" if self.type is FactorType.TOTP else "hwk"
        return Proof(("pwd", method, "mfa"), self.type)


def options(*, token: str, origin: Origin) -> dict[str, Any]:
    """Return the WebAuthn options for the login of a token. Raises TokenInvalid and TokenExpired."""
    mfa_token = mfa_tokens.read(mfa_tokens.LOGIN, token, origin.contract)
    factors = SecondFactor.objects.in_force().filter(user_id=mfa_token.user_id, type=FactorType.WEBAUTHN)
    return authenticators.request_options(factors, _use(mfa_token), timezone.now(), verified=False)


def complete(
    *,
    token: str,
    answer: SubmittedCode | SubmittedAssertion,
    issuer: TokenIssuer[T],
    origin: Origin,
    rule: LoginRule | None = None,
) -> T:
    """Complete a login by its second factor, and return what the issuer made for the new session.

    The token serves for one login. Raises TokenInvalid, TokenExpired, InvalidSecondFactor, and what `sign_in.sign_in`
    raises.
    """
    mfa_token = mfa_tokens.read(mfa_tokens.LOGIN, token, origin.contract)
    return log_in(token=mfa_token, answer=answer, issuer=issuer, origin=origin, rule=rule)


def log_in(
    *,
    token: MfaToken,
    answer: SubmittedCode | SubmittedAssertion | EnrolledFactor,
    issuer: TokenIssuer[T],
    origin: Origin,
    rule: LoginRule | None,
) -> T:
    """Complete the login of a token that the caller has read. Returns and raises what `complete` does."""
    identifier = Identifier(token.username_key, "username_key", token.username_key)
    with limit_parallel(identifier=identifier, origin=origin):
        issuer.require_keys()
        attempt = identify(identifier=identifier, origin=origin)
        if attempt.user is None or not token.is_of(attempt.user):
            raise TokenInvalid
        with reserved(attempt) as check:
            found = decide(attempt=attempt, check=check, rule=rule)
            decision = _check(found, answer, token) if isinstance(found, User) else found
            prepared = prepare_login(decision, issuer, origin)
            outcome = settle(attempt=attempt, reservation=check.reservation, decision=prepared)
    return cast(T, require_login(outcome).issued)


@contextmanager
def reserved(attempt: Attempt) -> Iterator[PasswordCheck]:
    """Reserve an attempt without a password; an exception in the block cancels the reservation.

    Raises Overloaded, TooManyAttempts and TooManyLogins.
    """
    with recorded_lockout(attempt):
        with reserve(attempt) as reservation:
            # The hashing slot is given back: only recovery codes need one, and take it themselves.
            pass
        with cancelled_on_error(reservation):
            yield PasswordCheck(reservation, correct=True, outdated=False)


def _check(
    user: User, answer: SubmittedCode | SubmittedAssertion | EnrolledFactor, token: MfaToken
) -> AuthenticatedUser | Refusal:
    try:
        proof = answer.proof(user, token)
    except InvalidSecondFactor:
        return wrong_factor(answer.type)
    return AuthenticatedUser(user, replace(proof, session_id=token.session_id))


def _use(token: MfaToken) -> str:
    """Return what a challenge for the login of a token is for."""
    return f"second factor {token.id}"
