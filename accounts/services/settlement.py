"""The last stage of a sign-in: settle the budgets, open the session and record the attempt, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import (
    IdentityError,
    InvalidCredentials,
    InvalidSecondFactor,
    PasswordExpired,
    SecondFactorRequired,
)
from accounts.models import AttemptBudget, AttemptPurpose, FactorType, Kind, Session, User
from accounts.security import budgets, devices, lockout
from accounts.security.login_quota import LOGIN_QUOTAS, count_challenge
from accounts.services import login_addresses, notices, session_events, sessions
from accounts.services.attempts import Attempt
from accounts.services.factor_check import Proof
from accounts.services.statements import LOGGED_IN, LOGGED_IN_AND_OPENED
from accounts.transactions import atomically
from audit.events import Event, FailureReason, Status
from audit.models import IDENTIFIER_LENGTH, LoginAttempt, SecurityEvent
from audit.origin import escape_control_chars
from audit.record import record


@dataclass(frozen=True, slots=True)
class Login:
    """A login to settle; without a session where only the credentials were to be verified.

    `issued` is what the client gets for the session: its tokens, signed before anything says that the login succeeded.
    """

    user: User
    proof: Proof
    session: Session | None = None
    issued: Any = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an attempt is refused, the error that its caller gets, and whether it counts against the budgets."""

    reason: FailureReason
    error: type[IdentityError]
    counts: bool
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The password was right, and `error` asks the client for a second factor, or to enrol one."""

    reason: FailureReason
    error: SecondFactorRequired


@dataclass(frozen=True, slots=True)
class PasswordExpiry:
    """The proof was right, and its password is too old; `error` has the token that changes it."""

    proof: Proof
    error: PasswordExpired


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The user may log in, as their proof says."""

    user: User
    proof: Proof


Decision = AuthenticatedUser | Refusal | Challenge
Outcome = Login | Refusal | Challenge | PasswordExpiry


def wrong_factor(factor: str) -> Refusal:
    """Return the refusal of a second factor that is wrong or has served."""
    return Refusal(FailureReason.SECOND_FACTOR_WRONG, InvalidSecondFactor, counts=True, factor=factor)


_LOCK_EVENTS: Final[Mapping[str, Event]] = {
    AttemptPurpose.ADDRESS: Event.ADDRESS_LOCKED,
    AttemptPurpose.ADDRESS_SUSPICION: Event.ADDRESS_SUSPECTED,
}
_CHANGED_MEANWHILE: Final = Refusal(FailureReason.CHANGED_MEANWHILE, InvalidCredentials, counts=False)


def settle(*, attempt: Attempt, reservation: lockout.Reservation, decision: Outcome) -> Outcome:
    """Settle the reservation, store the session where there is one, and record the attempt, in one transaction.

    Returns a refusal instead of a login where the account changed while its password was hashed, or where what serves
    once has served.
    """

    if isinstance(decision, Login) and decision.session:
        decision.session.from_new_address = login_addresses.is_new(user=decision.user, reservation=reservation)
        decision.session.from_new_device = devices.is_new(decision.session.user_agent, decision.user)

    def work() -> Outcome:
        now = timezone.now()
        outcome: Outcome = decision
        if isinstance(decision, Login):
            outcome = _store_login(attempt, reservation, decision, now)
        if isinstance(decision, PasswordExpiry):
            outcome = _store_expiry(attempt, reservation, decision, now)
        if isinstance(outcome, Refusal):
            _store_refusal(attempt, reservation, outcome, now)
        if isinstance(outcome, Challenge):
            _store_challenge(attempt, reservation, outcome, now)
        return outcome

    return atomically(work)


def _store_login(attempt: Attempt, reservation: lockout.Reservation, login: Login, now: datetime) -> Login | Refusal:
    user, proof, ip = login.user, login.proof, attempt.origin.ip
    if reused := _spend(attempt, user, proof, now):
        return reused
    if refusal := _log_in_once(login, ip, now) if proof.session_id else _log_in(login, ip, now):
        return refusal
    user.last_login, user.last_login_ip = now, ip
    if attempt.factors and not proof.factor:
        # The password alone, which a session confirms, settles no failure: its holder may be guessing codes.
        lockout.release(reservation)
    else:
        lockout.succeed(reservation, now)
    superseded = sessions.supersede(user=user, origin=attempt.origin, now=now) if attempt.has_many_sessions else []
    events = [*superseded, *_newness_events(attempt, login)]
    factor = proof.factor or ""
    record(LoginAttempt.of(attempt.origin, attempt.identifier.typed, user_id=user.pk, factor=factor), *events)
    return login


def _spend(attempt: Attempt, user: User, proof: Proof, now: datetime) -> Refusal | None:
    """Spend what serves once in a proof; return the refusal of what has served, or None."""
    # What is spent before a refusal stays spent: it was shown, and could be seen.
    if not all(use.spend(now) for use in proof.uses):
        return wrong_factor(proof.factor or "")
    if proof.factor is FactorType.RECOVERY_CODE:
        notices.notify(user=user, kind=Kind.RECOVERY_CODE_USED, origin=attempt.origin)
    return None


def _store_expiry(
    attempt: Attempt, reservation: lockout.Reservation, expiry: PasswordExpiry, now: datetime
) -> PasswordExpiry | Refusal:
    """Spend what the proof has shown, and open no session. Raises budgets.LockedOut as a challenge does."""
    if attempt.user and (reused := _spend(attempt, attempt.user, expiry.proof, now)):
        return reused
    _count_as_challenge(reservation, now)
    record(attempt.failure(FailureReason.PASSWORD_EXPIRED, factor=expiry.proof.factor or ""))
    return expiry


def _newness_events(attempt: Attempt, login: Login) -> list[SecurityEvent]:
    """Notify the user of a session from a new address or device, by one message; return its events to record."""
    session = login.session
    if session is None or not (session.from_new_address or session.from_new_device):
        return []
    kind = Kind.NEW_ADDRESS if session.from_new_address else Kind.NEW_DEVICE
    notices.notify_of_login(user=login.user, kind=kind, origin=attempt.origin)
    new = {
        Event.SESSION_ADDRESS_ADDED: session.from_new_address,
        Event.SESSION_DEVICE_ADDED: session.from_new_device,
    }
    return [session_events.event(attempt.origin, event, session) for event, is_new in new.items() if is_new]


def _log_in(login: Login, ip: str | None, now: datetime) -> Refusal | None:
    """Store the login in the user's row, and its session; return why not, or None."""
    # The condition also holds the row, so that the user is not deleted before this commits.
    columns = {"id": login.user.pk, "stamp": login.user.stamp, "now": now, "ip": ip}
    device = _entry_of_device(login.session)
    if login.session:
        stored = LOGGED_IN_AND_OPENED.execute(login.session, **columns, device=device)
    else:
        stored = bool(LOGGED_IN.execute(**columns, device=device))
    return None if stored else _CHANGED_MEANWHILE


def _entry_of_device(session: Session | None) -> str:
    """Return what makes the device of a session known; what opens none, and marks none, makes none known."""
    return devices.entry(session.user_agent) if session else ""


def _log_in_once(login: Login, ip: str | None, now: datetime) -> Refusal | None:
    """Do the same for a session that there may be already, because what it comes of has served."""
    try:
        with transaction.atomic():
            return _log_in(login, ip, now)
    except IntegrityError:
        return wrong_factor(login.proof.factor or "")


def _store_refusal(attempt: Attempt, reservation: lockout.Reservation, refusal: Refusal, now: datetime) -> None:
    locked = lockout.fail(reservation, now) if refusal.counts else []
    if not refusal.counts:
        lockout.release(reservation)
    row = attempt.failure(refusal.reason, factor=refusal.factor)
    record(row, *(_locked_event(attempt, each) for each in locked))


def _store_challenge(attempt: Attempt, reservation: lockout.Reservation, challenge: Challenge, now: datetime) -> None:
    _count_as_challenge(reservation, now)
    record(attempt.failure(challenge.reason, status=Status.CHALLENGED))


def _count_as_challenge(reservation: lockout.Reservation, now: datetime) -> None:
    """Settle neither a failure nor a success. Raises budgets.LockedOut where there were too many from this address."""
    lockout.release(reservation)
    count_challenge(reservation.account, reservation.address, now)


def _locked_event(attempt: Attempt, row: AttemptBudget) -> SecurityEvent:
    of_account = Event.NAME_LOCKED if row.name_digest else Event.ACCOUNT_LOCKED
    return SecurityEvent.of(
        attempt.origin,
        _LOCK_EVENTS.get(row.purpose, of_account),
        user_id=row.account_id or None,
        cause=row.purpose,
        address=attempt.address,
        identifier=escape_control_chars(attempt.identifier.typed)[:IDENTIFIER_LENGTH],
    )


def record_lockout(attempt: Attempt, budget: budgets.Budget) -> None:
    """Count an attempt that a lock refused; one row of the trail a minute stands for all of them."""
    reason = FailureReason.TOO_MANY_LOGINS if budget.purpose in LOGIN_QUOTAS else FailureReason.LOCKED

    def count() -> None:
        if due := budgets.refuse(budget, timezone.now()):
            record(attempt.failure(reason, repeats=due))

    atomically(count)
