"""Logins by a passkey alone: a discoverable WebAuthn credential whose authenticator has verified its user."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from django.utils import timezone

from accounts.errors import InvalidCredentials, InvalidSecondFactor
from accounts.models import FactorType, SecondFactor, User
from accounts.security import authenticators, lockout
from accounts.services import factor_check, identifiers
from accounts.services.attempts import Attempt, PasswordCheck, identify, limit_parallel
from accounts.services.identifiers import Identifier
from accounts.services.second_step import reserved
from accounts.services.settlement import AuthenticatedUser, Decision, Login, Outcome, settle, wrong_factor
from accounts.services.sign_in import LoginRule, decide, prepare_login, recorded_lockout, require_login
from accounts.services.token_issuer import TokenIssuer
from audit.origin import Origin

T = TypeVar("T")

# What challenges are for, and what the trail has in place of an identifier where the passkey is unknown.
_PASSKEY: Final = "passkey"


def options() -> dict[str, Any]:
    """Return the WebAuthn options for a login by any passkey."""
    return authenticators.request_options((), _PASSKEY, timezone.now(), verified=True)


def sign_in(
    *, credential: Mapping[str, Any], issuer: TokenIssuer[T], origin: Origin, rule: LoginRule | None = None
) -> T:
    """Log in the user of a passkey, and return what the issuer made for the new session.

    Raises InvalidCredentials, whatever is wrong with the passkey, and what `sign_in.sign_in` raises.
    """
    try:
        return _sign_in(credential, issuer, origin, rule)
    except InvalidSecondFactor as error:
        raise InvalidCredentials from error


def _sign_in(credential: Mapping[str, Any], issuer: TokenIssuer[T], origin: Origin, rule: LoginRule | None) -> T:
    factor = factor_check.credential_of(credential=credential)
    # Each passkey has its own places in the queue, and each unknown one its own budgets, as each unknown name has.
    passkey = Identifier(_PASSKEY, None, authenticators.digest(authenticators.credential_id(credential)))
    with limit_parallel(identifier=passkey, origin=origin):
        issuer.require_keys()
        attempt = identify(identifier=identifiers.of_user(factor.user) if factor else passkey, origin=origin)
        with recorded_lockout(attempt):
            decision = _decide(attempt, factor, credential, rule)
            outcome = _settle(attempt, prepare_login(decision, issuer, origin))
    return cast(T, require_login(outcome).issued)


def _decide(
    attempt: Attempt, factor: SecondFactor | None, credential: Mapping[str, Any], rule: LoginRule | None
) -> Decision:
    """Return whether the passkey is right, and only then whether its user may log in."""
    user = attempt.user
    try:
        if factor is None or user != factor.user or not authenticators.names_user(credential, factor.user):
            raise InvalidSecondFactor
        proof = factor_check.check_assertion(factor=factor, credential=credential, use=_PASSKEY, alone=True)
    except InvalidSecondFactor:
        return wrong_factor(FactorType.WEBAUTHN)
    check = PasswordCheck(_unlimited(attempt), correct=True, outdated=False)
    found = decide(attempt=attempt, check=check, rule=rule)
    return AuthenticatedUser(found, proof) if isinstance(found, User) else found


def _settle(attempt: Attempt, decision: Outcome) -> Outcome:
    """Settle a login by a passkey; no lock binds a right one, because nothing in it can be guessed."""
    if isinstance(decision, Login):
        return settle(attempt=attempt, reservation=_unlimited(attempt), decision=decision)
    with reserved(attempt) as check:
        return settle(attempt=attempt, reservation=check.reservation, decision=decision)


def _unlimited(attempt: Attempt) -> lockout.Reservation:
    state = attempt.state or lockout.BudgetState(is_known_address=False, has_failures=False)
    return lockout.unlimited(attempt.account, attempt.address, state)
