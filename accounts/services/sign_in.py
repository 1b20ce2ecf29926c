"""Sign-in: the one pipeline that verifies a password, for every contract, the admin site and every confirmation.

    identify ─▶ reserve ─▶ verify_password ─▶ decide ─▶ issue ─▶ settle
               (commits)   (a hashing slot,   (account   (tokens,  (one transaction: budgets,
                            no transaction)    state,     signed)   session row, trail row)
                                               rule)

Each stage is a function that returns a value; only the last one writes what a client may rely on. A second factor
belongs between verify_password and decide: it gets a password check that is not settled yet. The first three stages are
in `attempts.py`, the last one is in `settlement.py`.
"""

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from django.db import DatabaseError
from django.utils import timezone

from accounts.errors import (
    AccountDisabled,
    ApprovalPending,
    InvalidCredentials,
    Overloaded,
    TooManyAttempts,
    TooManyLogins,
)
from accounts.models import AttemptPurpose, User
from accounts.policies import LONGEST_PASSWORD
from accounts.security import budgets, hashing
from accounts.services.attempts import Attempt, PasswordCheck, cancel, identify, limit_parallel, verify_password
from accounts.services.identifiers import Identifier
from accounts.services.settlement import Login, Refusal, record_lockout, settle
from accounts.services.token_issuer import TokenIssuer
from audit.events import FailureReason
from audit.origin import Origin

# Returns why a user whose password was right may not log in here, or None. The client gets the answer to a wrong
# password.
LoginRule = Callable[[User], FailureReason | None]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_UNKNOWN_USER: Final = Refusal(FailureReason.UNKNOWN_USER, InvalidCredentials, counts=True)
_WRONG_PASSWORD: Final = Refusal(FailureReason.WRONG_PASSWORD, InvalidCredentials, counts=True)
_INACTIVE: Final = Refusal(FailureReason.INACTIVE, AccountDisabled, counts=False)
_PENDING_APPROVAL: Final = Refusal(FailureReason.PENDING_APPROVAL, ApprovalPending, counts=False)


def sign_in(
    *,
    identifier: Identifier,
    password: str,
    issuer: TokenIssuer[T],
    origin: Origin,
    rule: LoginRule | None = None,
) -> T:
    """Log a user in and return what the issuer made for the new session.

    Raises InvalidCredentials (also where the rule refuses the user), AccountDisabled, ApprovalPending,
    TooManyAttempts, Overloaded and, before anything is hashed, KeysUnavailable.
    """
    login = _run(identifier, password, origin, rule, issuer)
    return cast(T, login.issued)


def verify_credentials(*, identifier: Identifier, password: str, origin: Origin, rule: LoginRule | None = None) -> User:
    """Return the user with this identifier and password, recorded as a login; no session is opened.

    Raises what `sign_in` raises, except KeysUnavailable.
    """
    return _run(identifier, password, origin, rule, issuer=None).user


def _run(
    identifier: Identifier, password: str, origin: Origin, rule: LoginRule | None, issuer: TokenIssuer[Any] | None
) -> Login:
    """Take an attempt through all stages."""
    _require_hashable(password)
    with limit_parallel(identifier=identifier, origin=origin):
        if issuer:
            issuer.require_keys()
        return _stages(identifier, password, origin, rule, issuer)


def _stages(
    identifier: Identifier, password: str, origin: Origin, rule: LoginRule | None, issuer: TokenIssuer[Any] | None
) -> Login:
    """Take an attempt that has its place through all stages."""
    attempt = identify(identifier=identifier, origin=origin)
    try:
        return _attempt(attempt, password, rule, issuer)
    except budgets.LockedOut as locked:
        too_many = TooManyAttempts
        if locked.budget.purpose is AttemptPurpose.LOGIN_SUCCESSES:
            too_many = TooManyLogins
        record_lockout(attempt, locked.budget)
        raise too_many(retry_after=locked.retry_after) from locked


def _attempt(attempt: Attempt, password: str, rule: LoginRule | None, issuer: TokenIssuer[Any] | None) -> Login:
    """Verify the password and settle the attempt. Raises budgets.LockedOut, and the errors of refusals."""
    check = verify_password(attempt=attempt, password=password)
    try:
        decision = decide(attempt=attempt, check=check, rule=rule)
        login = decision if isinstance(decision, Refusal) else prepare_login(decision, issuer, attempt.origin)
        outcome = settle(attempt=attempt, check=check, decision=login)
    except BaseException:
        cancel(check.reservation)
        raise
    if isinstance(outcome, Refusal):
        raise outcome.error
    if check.outdated:
        _upgrade_hash(outcome.user, password)
    return outcome


def _require_hashable(password: str) -> None:
    """Raise InvalidCredentials for a password that no account can have: very long, or with a lone surrogate."""
    if len(password) > LONGEST_PASSWORD or any("\ud800" <= char <= "\udfff" for char in password):
        raise InvalidCredentials


def decide(*, attempt: Attempt, check: PasswordCheck, rule: LoginRule | None) -> User | Refusal:
    """Return the user who may log in, or the refusal: by the password, then the account's state, then the rule."""
    user = attempt.user
    if user is None:
        return _UNKNOWN_USER
    if not check.correct:
        return _WRONG_PASSWORD
    if not user.is_active:
        return _INACTIVE
    if user.awaits_approval:
        return _PENDING_APPROVAL
    if reason := rule(user) if rule else None:
        return Refusal(reason, InvalidCredentials, counts=True)
    return user


def prepare_login(user: User, issuer: TokenIssuer[Any] | None, origin: Origin) -> Login:
    """Return the login of a user, its session not stored yet and its tokens signed. Raises KeysUnavailable."""
    if issuer is None:
        return Login(user)
    session = issuer.new_session(user, origin, timezone.now())
    return Login(user, session, issuer.issue(session))


def _upgrade_hash(user: User, password: str) -> None:
    """Store a stronger hash of the password; where that fails now, the next login repeats it."""
    try:
        with hashing.slots.take(account=budgets.Account(user.pk)):
            encoded = hashing.make(password)
        User.objects.filter(pk=user.pk).rehash(user.password, encoded)
    except (Overloaded, DatabaseError):
        logger.warning("The password hash of user %s was not upgraded.", user.pk, exc_info=True)
