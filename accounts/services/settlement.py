"""The last stage of a sign-in: settle the budgets, open the session and record the attempt, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import BigIntegerField, CharField, DateTimeField, GenericIPAddressField
from django.utils import timezone

from accounts.errors import IdentityError, InvalidCredentials
from accounts.models import AttemptBudget, AttemptPurpose, Session, User
from accounts.security import budgets, lockout
from accounts.services import sessions
from accounts.services.attempts import Attempt, PasswordCheck
from accounts.transactions import atomically
from audit.events import Event, FailureReason
from audit.models import IDENTIFIER_LENGTH, LoginAttempt, SecurityEvent
from audit.origin import escape_control_chars
from audit.prepared import PreparedInsert, PreparedUpdate, update_query
from audit.record import record


@dataclass(frozen=True, slots=True)
class Login:
    """A login to settle; without a session where only the credentials were to be verified.

    `issued` is what the client gets for the session: its tokens, signed before anything says that the login succeeded.
    """

    user: User
    session: Session | None = None
    issued: Any = None


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


def settle(*, attempt: Attempt, check: PasswordCheck, decision: Login | Refusal) -> Login | Refusal:
    """Settle the reservation, store the session where there is one, and record the attempt, in one transaction.

    Returns a refusal instead of a login where the account changed while its password was hashed.
    """

    def work() -> Login | Refusal:
        now = timezone.now()
        outcome = decision if isinstance(decision, Refusal) else _store_login(attempt, check, decision, now)
        if isinstance(outcome, Refusal):
            _store_refusal(attempt, check, outcome, now)
        return outcome

    return atomically(work)


def _store_login(attempt: Attempt, check: PasswordCheck, login: Login, now: datetime) -> Login | Refusal:
    user, ip = login.user, attempt.origin.ip
    # The condition also holds the row, so that the user is not deleted before this commits.
    if not _LOGGED_IN.execute(id=user.pk, stamp=user.stamp, now=now, ip=ip):
        return _CHANGED_MEANWHILE
    user.last_login, user.last_login_ip = now, ip
    lockout.succeed(check.reservation, now)
    if login.session:
        _OPEN.execute(login.session)
    superseded = sessions.supersede(user=user, origin=attempt.origin, now=now) if attempt.has_many_sessions else []
    record(LoginAttempt.of(attempt.origin, attempt.identifier.typed, user_id=user.pk), *superseded)
    return login


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
