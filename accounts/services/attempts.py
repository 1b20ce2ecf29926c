"""The first stages of a sign-in: identify the account, reserve an attempt, verify the password.

Nothing here writes what a client may rely on; `accounts.services.settlement` settles what these stages return.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import DatabaseError
from django.utils import timezone

from accounts.errors import Overloaded, RetryLater
from accounts.models import FactorType, User
from accounts.policies import LONGEST_WAIT, REFUSAL_PAUSE, REFUSAL_PAUSES
from accounts.security import budgets, former_kinds, hashing, lockout, suspicion
from accounts.security.client_address import budget_address
from accounts.security.login_quota import require_logins
from accounts.security.parallel_calls import ParallelCalls
from accounts.services.identifiers import Identifier
from accounts.services.statements import ENROLLED, user_by
from accounts.transactions import atomically
from accounts.turns import prepare_to_wait
from audit.events import FailureReason, Status
from audit.models import LoginAttempt
from audit.origin import Origin

logger = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 0.02
_RETRY_AFTER: Final = timedelta(seconds=1)

_parallel = ParallelCalls()
_pauses = ParallelCalls()


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to sign in: the identifier, the account it finds, and the key of the budgets that bind it.

    `state` is what the query for the user read of the budgets; None where there is no user. `has_many_sessions` says
    whether the user has so many sessions in this contract that the next one may be one too many, `factors` which types
    of second factors the user has in force.
    """

    identifier: Identifier
    origin: Origin
    address: str
    account: budgets.Account
    user: User | None
    state: lockout.BudgetState | None
    has_many_sessions: bool = False
    factors: frozenset[FactorType] = frozenset()

    def failure(
        self, reason: FailureReason, *, status: Status = Status.FAILED, factor: str = "", repeats: int = 1
    ) -> LoginAttempt:
        """Return the row of the trail for this attempt as one without success."""
        return LoginAttempt.of(
            self.origin,
            self.identifier.typed,
            user_id=self.user.pk if self.user else None,
            failure_reason=reason,
            status=status,
            factor=factor,
            repeats=repeats,
        )


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """The result of hashing for a reserved attempt, which is still to be settled."""

    reservation: lockout.Reservation
    correct: bool
    outdated: bool


@contextmanager
def limit_parallel(*, identifier: Identifier, origin: Origin) -> Iterator[None]:
    """Hold a place for an attempt at an identifier from an address: one at hashing, the others in the queue for it.

    Refused before the first statement, and parallel refusals wait for a moment: otherwise a client that repeats refused
    attempts over many connections would hold up every other request of the process. The address is in the key, so that
    attempts from elsewhere refuse nobody. Raises Overloaded.
    """
    key = (budget_address(origin.ip), identifier.column, identifier.value)
    try:
        with _parallel.hold(key, 1 + hashing.slots.places, _RETRY_AFTER):
            yield
    except RetryLater:
        if _parallel.taken(key):
            _pause()
        raise


def _pause() -> None:
    with suppress(Overloaded), _pauses.hold(None, REFUSAL_PAUSES, _RETRY_AFTER):
        prepare_to_wait()
        time.sleep(REFUSAL_PAUSE.total_seconds())


def identify(*, identifier: Identifier, origin: Origin) -> Attempt:
    """Find the account, and with it the state of its budgets, in one statement."""
    address, user = budget_address(origin.ip), None
    if identifier.column:
        user = user_by(identifier.column).first(
            value=identifier.value, address=address, contract=origin.contract, now=timezone.now()
        )
    if user is None:
        return Attempt(identifier, origin, address, budgets.Account.unknown(identifier.value), None, None)
    found = vars(user)
    state = lockout.BudgetState(
        found["is_known_address"], found["has_failures"], found["has_spent_logins"], found["is_suspected_address"]
    )
    many = bool(found["has_many_sessions"])
    factors = frozenset(each for each in ENROLLED if found[f"has_{each}"])
    return Attempt(identifier, origin, address, budgets.Account(user_id=user.pk), user, state, many, factors)


def verify_password(*, attempt: Attempt, password: str) -> PasswordCheck:
    """Hash the password in a hashing slot, for an attempt that is reserved first; no transaction is open meanwhile.

    Every refusal costs the same work, for a missing account and for a hash of a former system too. Raises Overloaded
    and budgets.LockedOut.
    """
    alike = former_kinds.present()
    with reserve(attempt) as reservation:
        verdict = hashing.verify(password, attempt.user.password if attempt.user else None, alike)
    return PasswordCheck(reservation, verdict.correct, verdict.outdated)


@contextmanager
def reserve(attempt: Attempt) -> Iterator[lockout.Reservation]:
    """Hold a hashing slot and a committed reservation; an exception in the block cancels the reservation.

    Waits, two seconds at most, for a slot and for attempts in flight, and before that as long for a turn where the
    address is suspicious. Raises Overloaded and budgets.LockedOut.
    """
    state = _require_unlocked(attempt)
    # From an address that is new to the account, parallel attempts from all such addresses count together.
    stale = state.has_failures or not state.is_known_address
    if state.is_suspected:
        suspicion.wait_for_turn(attempt.address, attempt.account, LONGEST_WAIT)
        stale = True
    deadline = time.monotonic() + LONGEST_WAIT.total_seconds()
    while True:
        with _slot(attempt, deadline) as waited:
            if waited or stale:
                # Other attempts may have been settled since the budgets were read.
                state = _check(attempt)
            if reservation := lockout.reserve(attempt.account, attempt.address, state, timezone.now()):
                try:
                    yield reservation
                except BaseException:
                    cancel(reservation)
                    raise
                return
        if time.monotonic() > deadline:
            _check(attempt)
            raise Overloaded(retry_after=LONGEST_WAIT)
        stale = True
        prepare_to_wait()
        time.sleep(_RETRY_SECONDS)


def cancel(reservation: lockout.Reservation) -> None:
    """Release a reservation that an unforeseen error has kept from being settled."""
    try:
        atomically(lambda: lockout.release(reservation))
    except DatabaseError:
        logger.warning("A reserved attempt was not released; it expires by itself.", exc_info=True)


@contextmanager
def _slot(attempt: Attempt, deadline: float) -> Iterator[float]:
    """Hold a hashing slot; yields the seconds waited for it. Raises Overloaded, or LockedOut where both hold."""
    wait = timedelta(seconds=max(0.0, deadline - time.monotonic()))
    try:
        with hashing.slots.take(wait, attempt.account) as waited:
            yield waited
    except Overloaded:
        # The account may have been locked meanwhile, which is the more useful answer.
        _check(attempt)
        raise


def _require_unlocked(attempt: Attempt) -> lockout.BudgetState:
    """Return the state of the budgets before anything is waited for. Raises budgets.LockedOut."""
    if attempt.state and attempt.state.has_spent_logins:
        require_logins(attempt.account, timezone.now())
    if attempt.state and not attempt.state.has_failures:
        return attempt.state
    return _check(attempt)


def _check(attempt: Attempt) -> lockout.BudgetState:
    return lockout.check(attempt.account, attempt.address, timezone.now())
