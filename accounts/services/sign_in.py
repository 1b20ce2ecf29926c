"""Sign-in: the one pipeline that verifies a password, for every contract, the admin site and every confirmation.

    identify ─▶ reserve ─▶ verify_password ─▶ decide ─▶ settle
               (commits)   (a hashing slot,   (account   (one transaction: budgets,
                            no transaction)    state,     session row, trail row)
                                               rule)

Each stage is a function that returns a value; only the last one writes what a client may rely on. A second factor
belongs between verify_password and decide: it gets a password check that is not settled yet.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import DatabaseError
from django.utils import timezone

from accounts.errors import (
    AccountDisabled,
    ApprovalPending,
    IdentityError,
    InvalidCredentials,
    Overloaded,
    TooManyAttempts,
    TooManyLogins,
)
from accounts.models import AttemptBudget, AttemptPurpose, Session, User
from accounts.policies import LONGEST_PASSWORD, SessionPolicy
from accounts.security import budgets, hashing, lockout
from accounts.services import sessions
from accounts.services.attempts import Attempt, PasswordCheck, cancel, identify, place, verify_password
from accounts.services.identifiers import Identifier
from accounts.transactions import atomically
from audit.events import Event, FailureReason
from audit.models import IDENTIFIER_LENGTH, LoginAttempt, SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.record import record

# Returns why a user whose password was right may not log in here, or None. The client gets the answer to a wrong
# password.
LoginRule = Callable[[User], FailureReason | None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """A settled login; without a session where only the credentials were to be verified."""

    user: User
    session: Session | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an attempt is refused, the error that its caller gets, and whether it counts against the budgets."""

    reason: FailureReason
    error: type[IdentityError]
    counts: bool


_LOCK_EVENTS: Final[Mapping[str, Event]] = {
    AttemptPurpose.ADDRESS: Event.ADDRESS_LOCKED,
    AttemptPurpose.ADDRESS_SUSPICION: Event.ADDRESS_SUSPECTED,
}
_UNKNOWN_USER: Final = Refusal(FailureReason.UNKNOWN_USER, InvalidCredentials, counts=True)
_WRONG_PASSWORD: Final = Refusal(FailureReason.WRONG_PASSWORD, InvalidCredentials, counts=True)
_INACTIVE: Final = Refusal(FailureReason.INACTIVE, AccountDisabled, counts=False)
_PENDING_APPROVAL: Final = Refusal(FailureReason.PENDING_APPROVAL, ApprovalPending, counts=False)
_CHANGED_MEANWHILE: Final = Refusal(FailureReason.CHANGED_MEANWHILE, InvalidCredentials, counts=False)


def sign_in(
    *,
    identifier: Identifier,
    password: str,
    policy: SessionPolicy,
    origin: Origin,
    rule: LoginRule | None = None,
) -> Session:
    """Log a user in and return the new session, its `user` loaded.

    Raises InvalidCredentials (also where the rule refuses the user), AccountDisabled, ApprovalPending,
    TooManyAttempts and Overloaded.
    """
    login = _run(identifier, password, origin, rule, policy)
    assert login.session  # noqa: S101 A policy was given.
    return login.session


def verify_credentials(*, identifier: Identifier, password: str, origin: Origin, rule: LoginRule | None = None) -> User:
    """Return the user with this identifier and password, recorded as a login; no session is opened.

    Raises what `sign_in` raises.
    """
    return _run(identifier, password, origin, rule, policy=None).user


def _run(
    identifier: Identifier, password: str, origin: Origin, rule: LoginRule | None, policy: SessionPolicy | None
) -> Login:
    """Take an attempt through all stages."""
    _require_hashable(password)
    with place(identifier=identifier, origin=origin):
        return _placed(identifier, password, origin, rule, policy)


def _placed(
    identifier: Identifier, password: str, origin: Origin, rule: LoginRule | None, policy: SessionPolicy | None
) -> Login:
    """Take an attempt that has its place through all stages."""
    attempt = identify(identifier=identifier, origin=origin)
    try:
        return _attempt(attempt, password, rule, policy)
    except lockout.LockedOut as locked:
        too_many = TooManyAttempts
        if locked.budget.purpose is AttemptPurpose.LOGIN_SUCCESSES:
            too_many = TooManyLogins
        _record_lockout(attempt, locked.budget)
        raise too_many(retry_after=locked.retry_after) from locked


def _attempt(attempt: Attempt, password: str, rule: LoginRule | None, policy: SessionPolicy | None) -> Login:
    """Verify the password and settle the attempt. Raises lockout.LockedOut, and the errors of refusals."""
    check = verify_password(attempt=attempt, password=password)
    try:
        decision = decide(attempt=attempt, check=check, rule=rule)
        outcome = settle(attempt=attempt, check=check, decision=decision, policy=policy)
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


def settle(
    *, attempt: Attempt, check: PasswordCheck, decision: User | Refusal, policy: SessionPolicy | None
) -> Login | Refusal:
    """Settle the reservation, open the session where a policy is given, and record the attempt, in one transaction.

    Returns a refusal instead of a login where the account changed while its password was hashed.
    """

    def work() -> Login | Refusal:
        now = timezone.now()
        outcome = decision if isinstance(decision, Refusal) else _store_login(attempt, check, decision, policy, now)
        if isinstance(outcome, Refusal):
            _store_refusal(attempt, check, outcome, now)
        return outcome

    return atomically(work)


def _store_login(
    attempt: Attempt, check: PasswordCheck, user: User, policy: SessionPolicy | None, now: datetime
) -> Login | Refusal:
    ip = attempt.origin.ip
    # The condition also holds the row, so that the user is not deleted before this commits.
    if not User.objects.filter(pk=user.pk, stamp=user.stamp).update(last_login=now, last_login_ip=ip):
        return _CHANGED_MEANWHILE
    user.last_login, user.last_login_ip = now, ip
    lockout.succeed(check.reservation, now)
    session = _open_session(user, policy, attempt.origin, now) if policy else None
    superseded = sessions.supersede(user=user, origin=attempt.origin, now=now) if attempt.has_many_sessions else []
    record(LoginAttempt.of(attempt.origin, attempt.identifier.typed, user_id=user.pk), *superseded)
    return Login(user, session)


def _open_session(user: User, policy: SessionPolicy, origin: Origin, now: datetime) -> Session:
    latest_end_at = now + policy.absolute_timeout
    return Session.objects.create(
        user=user,
        stamp=user.stamp,
        contract=origin.contract,
        ip=origin.ip,
        user_agent=origin.user_agent,
        created_at=now,
        last_seen_at=now,
        rotated_at=now,
        expires_at=min(latest_end_at, now + policy.idle_timeout),
        latest_end_at=latest_end_at,
    )


def _store_refusal(attempt: Attempt, check: PasswordCheck, refusal: Refusal, now: datetime) -> None:
    locked = lockout.fail(check.reservation, now) if refusal.counts else []
    if not refusal.counts:
        lockout.release(check.reservation)
    record(attempt.failure(refusal.reason), *(_locked_event(attempt, row) for row in locked))


def _locked_event(attempt: Attempt, row: AttemptBudget) -> SecurityEvent:
    return SecurityEvent.of(
        attempt.origin,
        _LOCK_EVENTS.get(row.purpose, Event.ACCOUNT_LOCKED),
        user_id=row.account_id or None,
        cause=row.purpose,
        address=attempt.address,
        identifier=escape_control_chars(attempt.identifier.typed)[:IDENTIFIER_LENGTH],
    )


def _record_lockout(attempt: Attempt, budget: budgets.Budget) -> None:
    """Count an attempt that a lock refused; one row of the trail a minute stands for all of them."""
    is_quota = budget.purpose is AttemptPurpose.LOGIN_SUCCESSES
    reason = FailureReason.TOO_MANY_LOGINS if is_quota else FailureReason.LOCKED

    def count() -> None:
        if due := budgets.refuse(budget, timezone.now()):
            record(attempt.failure(reason, repeats=due))

    atomically(count)


def _upgrade_hash(user: User, password: str) -> None:
    """Store a stronger hash of the password; where that fails now, the next login repeats it."""
    try:
        with hashing.slots.take(account=budgets.Account(user.pk)):
            encoded = hashing.make(password)
        User.objects.filter(pk=user.pk).rehash(user.password, encoded)
    except (Overloaded, DatabaseError):
        logger.warning("The password hash of user %s was not upgraded.", user.pk, exc_info=True)
