"""The one way to prove a password, for every door: contracts, the admin site, and wherever a current one is asked.

Resolve the name, wait for a hashing slot, reserve an attempt (commits), hash, settle and record (one transaction). No
transaction is open while hashing.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone

from accounts.errors import (
    AccountDisabled,
    ApprovalPending,
    IdentityError,
    InvalidCredentials,
    Overloaded,
    TooManyAttempts,
)
from accounts.models import Session, User
from accounts.policies import LONGEST_PASSWORD, LONGEST_WAIT, SessionPolicy
from accounts.security import hashing, lockout
from accounts.security.client_address import budget_address
from accounts.services.identifiers import Identifier
from accounts.transactions import atomically
from audit.events import Event, FailureReason
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.record import record

# Says why this door does not take this user, whose password was right; the client learns no more than for a wrong one.
LoginRule = Callable[[User], FailureReason | None]
# What a good login does besides being recorded, in the transaction that settles it.
Opening = Callable[[User, datetime], None]

logger = logging.getLogger(__name__)

_PAUSE = 0.02

_TOLD: dict[FailureReason, type[IdentityError]] = {
    FailureReason.INACTIVE: AccountDisabled,
    FailureReason.PENDING_APPROVAL: ApprovalPending,
}


def sign_in(
    *,
    identifier: Identifier,
    password: str,
    policy: SessionPolicy,
    origin: Origin,
    rule: LoginRule | None = None,
) -> Session:
    """Log somebody in and return the new session, its `user` at hand.

    Raises InvalidCredentials, AccountDisabled, ApprovalPending, TooManyAttempts and Overloaded.
    """
    opened: list[Session] = []

    def open_session(user: User, now: datetime) -> None:
        latest = now + policy.absolute_timeout
        opened[:] = [
            Session.objects.create(
                user=user,
                stamp=user.stamp,
                contract=origin.contract,
                ip=origin.ip,
                user_agent=origin.user_agent,
                created_at=now,
                last_seen_at=now,
                rotated_at=now,
                expires_at=min(latest, now + policy.idle_timeout),
                latest_end_at=latest,
            )
        ]

    prove(identifier=identifier, password=password, origin=origin, rule=rule, opening=open_session)
    return opened[0]


def prove(
    *,
    identifier: Identifier,
    password: str,
    origin: Origin,
    rule: LoginRule | None = None,
    opening: Opening | None = None,
) -> User:
    """Return the user whose identifier and password these are, settled and recorded as a login.

    Raises what `sign_in` raises.
    """
    attempt = _Attempt(identifier, origin)
    if len(password) > LONGEST_PASSWORD or not _is_text(password):
        raise InvalidCredentials
    try:
        return _prove(attempt, password, rule, opening)
    finally:
        attempt.abandon()


def _is_text(password: str) -> bool:
    """Return whether the password can be encoded: a lone surrogate cannot, and nobody has typed one."""
    return not any("\ud800" <= char <= "\udfff" for char in password)


def _prove(attempt: "_Attempt", password: str, rule: LoginRule | None, opening: Opening | None) -> User:
    try:
        verdict = attempt.evaluate(password)
    except lockout.LockedOut as locked:
        attempt.record_refusal(locked.budget)
        raise TooManyAttempts(retry_after=locked.retry_after) from locked
    user = attempt.user
    if user is None:
        attempt.fail(FailureReason.UNKNOWN_USER)
        raise InvalidCredentials
    if not verdict.correct:
        attempt.fail(FailureReason.WRONG_PASSWORD)
        raise InvalidCredentials
    if reason := _closed(user):
        attempt.turn_away(reason)
        raise _TOLD[reason]
    if reason := rule(user) if rule else None:
        attempt.fail(reason)
        raise InvalidCredentials
    if not attempt.succeed(user, opening):
        attempt.turn_away(FailureReason.CHANGED_MEANWHILE)
        raise InvalidCredentials
    if verdict.outdated:
        _rehash(user, password)
    return user


def _closed(user: User) -> FailureReason | None:
    if not user.is_active:
        return FailureReason.INACTIVE
    return FailureReason.PENDING_APPROVAL if user.awaits_approval else None


def _rehash(user: User, password: str) -> None:
    """Store a stronger hash of the password; where that cannot be done now, the next login will."""
    try:
        with hashing.slots.take():
            encoded = hashing.make(password)
        User.objects.filter(pk=user.pk).rehash(user.password, encoded)
    except (Overloaded, DatabaseError):
        logger.warning("The password hash of user %s was not upgraded.", user.pk, exc_info=True)


class _Attempt:
    """One attempt on its way through the pipeline."""

    def __init__(self, identifier: Identifier, origin: Origin) -> None:
        self.identifier = identifier
        self.origin = origin
        self.address = budget_address(origin.ip)
        self.user: User | None = None
        self.account = lockout.Account.unknown(identifier.value)
        self.reservation: lockout.Reservation | None = None

    def evaluate(self, password: str) -> hashing.Verdict:
        """Reserve and hash, waiting for a slot and for attempts in flight. Raises Overloaded and lockout.LockedOut."""
        state = self._resolve()
        try:
            return self._reserve_and_hash(password, state)
        except Overloaded:
            # What was waited for may have locked the account meanwhile, which is the better answer.
            lockout.check(self.account, self.address, timezone.now())
            raise

    def _reserve_and_hash(self, password: str, state: lockout.BudgetState) -> hashing.Verdict:
        # From an address that is new to the account, what others do at this moment counts for all of them together.
        stale = state.has_failures or not state.is_known_address
        deadline = time.monotonic() + LONGEST_WAIT.total_seconds()
        while True:
            left = timedelta(seconds=max(0.0, deadline - time.monotonic()))
            with hashing.slots.take(left) as waited:
                if waited or stale:
                    # Others may have settled since the budgets were read.
                    state = lockout.check(self.account, self.address, timezone.now())
                self.reservation = lockout.reserve(self.account, self.address, state, timezone.now())
                if self.reservation:
                    return hashing.verify(password, self.user.password if self.user else None)
            if time.monotonic() > deadline:
                raise Overloaded(retry_after=LONGEST_WAIT)
            stale = True
            time.sleep(_PAUSE)

    def _resolve(self) -> lockout.BudgetState:
        """Find the user, and with them what is on record. Raises lockout.LockedOut."""
        now = timezone.now()
        if self.identifier.column:
            users = User.objects.annotate(**lockout.budget_state_of_user(self.address, now))
            self.user = users.filter(**{self.identifier.column: self.identifier.value}).first()
        if self.user is None:
            return lockout.check(self.account, self.address, now)
        self.account = lockout.Account(user_id=self.user.pk)
        state = lockout.BudgetState(self.user.is_known_address, self.user.has_failures)  # type: ignore[attr-defined]
        return lockout.check(self.account, self.address, now) if state.has_failures else state

    def succeed(self, user: User, opening: Opening | None) -> bool:
        """Settle a good login; False where the account changed while its password was being hashed."""

        def settle(reservation: lockout.Reservation) -> bool:
            now = timezone.now()
            # The condition also holds the row, so that nobody deletes the user before this commits.
            current = User.objects.filter(pk=user.pk, stamp=user.stamp)
            if not current.update(last_login=now, last_login_ip=self.origin.ip):
                return False
            user.last_login, user.last_login_ip = now, self.origin.ip
            lockout.succeed(reservation, now)
            if opening:
                opening(user, now)
            record(LoginAttempt.of(self.origin, self.identifier.typed, user_id=user.pk))
            return True

        return self._settle(settle)

    def fail(self, reason: FailureReason) -> None:
        """Settle an attempt that counts against the budgets, and record it."""

        def settle(reservation: lockout.Reservation) -> bool:
            locked = lockout.fail(reservation, timezone.now())
            events = [self._locked_event(row.account_id) for row in locked]
            record(self._failed(reason), *events)
            return True

        self._settle(settle)

    def turn_away(self, reason: FailureReason) -> None:
        """Settle an attempt whose password was right but who may not come in: it counts neither way."""

        def settle(reservation: lockout.Reservation) -> bool:
            lockout.release(reservation)
            record(self._failed(reason))
            return True

        self._settle(settle)

    def abandon(self) -> None:
        """Give an attempt back that something unforeseen has kept from being settled."""

        def settle(reservation: lockout.Reservation) -> bool:
            lockout.release(reservation)
            return True

        try:
            self._settle(settle)
        except DatabaseError:
            logger.warning("An attempt was not given back; it expires by itself.", exc_info=True)

    def _settle(self, work: Callable[[lockout.Reservation], bool]) -> bool:
        """Settle the reservation, if there still is one, in one transaction; keep it where `work` returns False."""
        reservation = self.reservation
        if reservation is None:
            return False
        settled = atomically(lambda: work(reservation))
        if settled:
            self.reservation = None
        return settled

    def record_refusal(self, budget: lockout.Budget) -> None:
        def count() -> None:
            if due := lockout.refuse(budget, timezone.now()):
                record(self._failed(FailureReason.LOCKED, repeats=due))

        atomically(count)

    def _failed(self, reason: FailureReason, repeats: int = 1) -> LoginAttempt:
        return LoginAttempt.of(
            self.origin,
            self.identifier.typed,
            user_id=self.user.pk if self.user else None,
            failure_reason=reason,
            repeats=repeats,
        )

    def _locked_event(self, account_id: int) -> SecurityEvent:
        event = Event.ACCOUNT_LOCKED if account_id else Event.ADDRESS_LOCKED
        return SecurityEvent.of(
            self.origin,
            event,
            user_id=account_id or None,
            address=self.address,
            identifier=escape_control_chars(self.identifier.typed)[:150],
        )
