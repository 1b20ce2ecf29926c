"""Logins by a passkey alone: a discoverable WebAuthn credential whose authenticator has verified its user."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone

from accounts.errors import InvalidCredentials, InvalidSecondFactor
from accounts.models import FactorType, SecondFactor, Session, User
from accounts.policies import SessionPolicy
from accounts.security import authenticators
from accounts.services import factor_check, identifiers
from accounts.services.attempts import identify, limit_parallel
from accounts.services.identifiers import Identifier
from accounts.services.second_step import reserved
from accounts.services.settlement import Granted, Refusal, settle, wrong_factor
from accounts.services.sign_in import LoginRule, decide, opened_session
from audit.origin import Origin

# What challenges are for, and what the trail has in place of an identifier where the passkey is unknown.
_PASSKEY: Final = "passkey"


def options() -> dict[str, Any]:
    """Return the WebAuthn options for a login by any passkey."""
    return authenticators.request_options((), _PASSKEY, timezone.now(), verified=True)


def sign_in(
    *, credential: Mapping[str, Any], policy: SessionPolicy, origin: Origin, rule: LoginRule | None = None
) -> Session:
    """Log in the user of a passkey, and return the new session.

    Raises InvalidCredentials, whatever is wrong with the passkey, and what `sign_in.sign_in` raises.
    """
    try:
        return _sign_in(credential, policy, origin, rule)
    except InvalidSecondFactor as error:
        raise InvalidCredentials from error


def _sign_in(credential: Mapping[str, Any], policy: SessionPolicy, origin: Origin, rule: LoginRule | None) -> Session:
    factor = factor_check.credential_of(credential=credential)
    if factor:
        identifier = identifiers.of_user(factor.user)
    else:
        # Each unknown passkey has budgets of its own, as each unknown name has.
        identifier = Identifier(_PASSKEY, None, authenticators.digest(authenticators.credential_id(credential)))
    with limit_parallel(identifier=identifier, origin=origin):
        attempt = identify(identifier=identifier, origin=origin)
        with reserved(attempt) as check:
            found = decide(attempt=attempt, check=check, rule=rule)
            decision = _check(found, factor, credential) if isinstance(found, User) else found
            outcome = settle(attempt=attempt, reservation=check.reservation, decision=decision, policy=policy)
    return opened_session(outcome)


def _check(user: User, factor: SecondFactor | None, credential: Mapping[str, Any]) -> Granted | Refusal:
    try:
        if not authenticators.names_user(credential, user):
            raise InvalidSecondFactor
        proof = factor_check.check_assertion(factor=factor, credential=credential, use=_PASSKEY, alone=True)
    except InvalidSecondFactor:
        return wrong_factor(FactorType.WEBAUTHN)
    return Granted(user, proof)
