"""The last stage of a sign-in: settle the budgets, open the session and record the attempt, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import BigIntegerField, CharField, DateTimeField, GenericIPAddressField
from django.utils import timezone

from accounts.errors import IdentityError, InvalidCredentials
from accounts.models import AttemptBudget, AttemptPurpose, Session, User
from accounts.policies import SessionPolicy
from accounts.security import budgets, lockout
from accounts.services import sessions
from accounts.services.attempts import Attempt, PasswordCheck
from accounts.transactions import atomically
from audit.events import Event, FailureReason
from audit.models import IDENTIFIER_LENGTH, LoginAttempt, SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.prepared import PreparedInsert, PreparedUpdate, update_query
from audit.record import record


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


_LOGGED_IN: Final = PreparedUpdate(
    lambda id, stamp, now, ip: update_query(User.objects.filter(id=id, stamp=stamp), last_login=now, last_login_ip=ip),
    id=BigIntegerField(),
    stamp=CharField(),
    now=DateTimeField(),
    ip=GenericIPAddressField(),
)
_OPEN: Final = PreparedInsert(Session)
_LOCK_EVENTS: Final[Mapping[str, Event]] = {
    AttemptPurpose.ADDRESS: Event.ADDRESS_LOCKED,
    AttemptPurpose.ADDRESS_SUSPICION: Event.ADDRESS_SUSPECTED,
}
_CHANGED_MEANWHILE: Final = Refusal(FailureReason.CHANGED_MEANWHILE, InvalidCredentials, counts=False)


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
    if not _LOGGED_IN.execute(id=user.pk, stamp=user.stamp, now=now, ip=ip):
        return _CHANGED_MEANWHILE
    user.last_login, user.last_login_ip = now, ip
    lockout.succeed(check.reservation, now)
    session = _open_session(user, policy, attempt.origin, now) if policy else None
    superseded = sessions.supersede(user=user, origin=attempt.origin, now=now) if attempt.has_many_sessions else []
    record(LoginAttempt.of(attempt.origin, attempt.identifier.typed, user_id=user.pk), *superseded)
    return Login(user, session)


def _open_session(user: User, policy: SessionPolicy, origin: Origin, now: datetime) -> Session:
    latest_end_at = now + policy.absolute_timeout
    session = Session(
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
    _OPEN.execute(session)
    return session


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


def record_lockout(attempt: Attempt, budget: budgets.Budget) -> None:
    """Count an attempt that a lock refused; one row of the trail a minute stands for all of them."""
    is_quota = budget.purpose is AttemptPurpose.LOGIN_SUCCESSES
    reason = FailureReason.TOO_MANY_LOGINS if is_quota else FailureReason.LOCKED

    def count() -> None:
        if due := budgets.refuse(budget, timezone.now()):
            record(attempt.failure(reason, repeats=due))

    atomically(count)
