"""Lockout: wrong passwords lock an account or an address, decided in the database before anything is hashed.

Four budgets bind an attempt: that of the account from this address, that of the account from all addresses unknown to
it, that of the account's failures since its last successful login, and that of the address over all accounts. Only the
first one binds attempts from an address that the account has recently logged in from, so that attempts from elsewhere
cannot lock the user out.

A login takes an attempt from the first budget only, as long as none of them holds a failure. Those of the unknown
addresses and of the address are taken from as soon as one does; what is in flight at that moment is at most one attempt
a hashing slot. The failures since the last success are counted when they are settled. Rows are always written in one
order, the address's first, each by a statement of its own, so that attempts cannot deadlock.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.models import AttemptBudget, AttemptPurpose
from accounts.policies import LOGINS_LIMIT, LONGEST_RETRY_AFTER, SUSPECTED_ADDRESS_LIMIT, UNKNOWN_NAME_LIMIT
from accounts.security import budget_rows
from accounts.security.budgets import (
    Account,
    Budget,
    LockedOut,
    address_budget,
    claim_by_statement,
    claim_in_transaction,
    count_failure,
    give_back,
    read,
)
from accounts.security.login_quota import count_login, require_logins, successes_budget
from accounts.security.suspicion import suspected, suspicion
from accounts.transactions import atomically


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The budgets as they are before an attempt.

    `is_known_address` says whether the account has recently logged in from the address, `has_failures` whether any of
    its budgets holds a failure or a lock, `has_spent_logins` whether its limit of successful logins is reached,
    `is_suspected` whether the address is suspicious.
    """

    is_known_address: bool
    has_failures: bool
    has_spent_logins: bool = False
    is_suspected: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that has been claimed from its budgets and must be settled exactly once.

    `has_failures` and `is_suspected` are those of the budgets' state before it.
    """

    account: Account
    address: str
    is_known_address: bool
    claimed: tuple[Budget, ...]
    has_failures: bool = False
    is_suspected: bool = False


def _budgets(
    account: Account, address: str, *, is_known_address: bool, is_suspected: bool = False
) -> tuple[Budget, ...]:
    """Return the budgets that bind an attempt, in the order in which they are always written."""
    other_policy = SUSPECTED_ADDRESS_LIMIT if is_known_address and is_suspected else None
    own = Budget(AttemptPurpose.LOGIN, account, address, other_policy)
    if is_known_address:
        return address_budget(address), own
    return address_budget(address), Budget(AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES, account), own


def budget_state_of_user(address: str, now: datetime) -> dict[str, Exists]:
    """Return annotations for a query of users, so that the budgets' state comes with the user in one statement."""
    rows = AttemptBudget.objects
    of_user = {"account_id": OuterRef("pk"), "name_digest": ""}
    own = Q(purpose=AttemptPurpose.LOGIN, address=address, **of_user)
    everywhere = (AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES, AttemptPurpose.LOGIN_SINCE_SUCCESS)
    unknown_addresses = Q(purpose__in=everywhere, address="", **of_user)
    of_address = Q(**address_budget(address).key())
    successes = rows.filter(purpose=AttemptPurpose.LOGIN_SUCCESSES, address="", **of_user)
    return {
        "is_known_address": Exists(rows.from_known_addresses(now).filter(own)),
        "has_spent_logins": Exists(successes.filter(count__gte=LOGINS_LIMIT.limit, expires_at__gt=now)),
        "is_suspected_address": Exists(suspected(now).filter(**suspicion(address).key())),
        "has_failures": Exists(rows.with_failures(now).filter(own | unknown_addresses | of_address)),
    }


def check(account: Account, address: str, now: datetime) -> BudgetState:
    """Return the state of the budgets. Raises LockedOut, with the longest lock, where one that binds is locked."""
    budgets = _budgets(account, address, is_known_address=False)
    rows = read((*budgets, _since_success(account), suspicion(address)))
    suspicious = rows.pop(suspicion(address), None)
    own = rows.get(budgets[-1])
    is_known_address = own is not None and own.is_known_address(now)
    locks = [
        (left, budget)
        for budget, row in rows.items()
        if _binds(budget, is_known_address=is_known_address) and (left := row.locked_for(now))
    ]
    if locks:
        left, budget = max(locks, key=lambda lock: lock[0])
        raise LockedOut(budget, min(left, LONGEST_RETRY_AFTER))
    return BudgetState(
        is_known_address,
        has_failures=any(row.count for row in rows.values()),
        is_suspected=suspicious is not None and suspicious.locked_for(now) is not None,
    )


def _binds(budget: Budget, *, is_known_address: bool) -> bool:
    return not is_known_address or budget.purpose is AttemptPurpose.LOGIN


def reserve(account: Account, address: str, state: BudgetState, now: datetime) -> Reservation | None:
    """Claim an attempt from every budget that binds, all or none, and commit.

    Returns None where a budget is locked or full: an attempt in flight may be given back, and `check` says which it is.
    """
    known = state.is_known_address
    claimed = tuple(
        budget
        for budget in _budgets(account, address, is_known_address=known, is_suspected=state.is_suspected)
        if budget.purpose is AttemptPurpose.LOGIN or (state.has_failures and _binds(budget, is_known_address=known))
    )
    reservation = Reservation(account, address, known, claimed, state.has_failures, state.is_suspected)
    if known and len(claimed) == 1 and claim_by_statement(claimed[0], now):
        return reservation
    # An unknown address without a failure has most likely no row yet.
    likely_new = not known and not state.has_failures

    def claim() -> bool:
        for budget in claimed:
            if not claim_in_transaction(budget, now, likely_new=likely_new):
                transaction.set_rollback(True)
                return False
        return True

    return reservation if atomically(claim) else None


def unlimited(account: Account, address: str, state: BudgetState) -> Reservation:
    """Return the reservation of an attempt that no lock binds, because nothing in it can be guessed."""
    return Reservation(account, address, state.is_known_address, (), state.has_failures, state.is_suspected)


def succeed(reservation: Reservation, now: datetime) -> None:
    """Settle a good login: no failure is left, the address is known from now on, and the login is counted.

    A login that no lock binds is only counted. Inside a transaction that holds the user's row, so that logins of one
    account are counted one after the other. Raises LockedOut where the account has no login left.
    """
    if not reservation.claimed:
        count_login(reservation.account, now)
        return
    for budget in reservation.claimed:
        if budget.purpose is not AttemptPurpose.LOGIN:
            give_back(budget)
    own = Budget(AttemptPurpose.LOGIN, reservation.account, reservation.address)
    successes = successes_budget(reservation.account)
    limit, window = LOGINS_LIMIT.limit, LOGINS_LIMIT.window
    if budget_rows.settle_success(own.key(), successes.key(), limit, window, now) < 2:
        first = AttemptBudget(**successes.key(), count=1, expires_at=now + window)
        if budget_rows.get(successes.key()) or not budget_rows.insert(first):
            require_logins(reservation.account, now)
    if reservation.has_failures:
        # A failure that was settled meanwhile is left; the next successful login resets it.
        budget_rows.reset(_since_success(reservation.account).key())


def _since_success(account: Account) -> Budget:
    return Budget(
        AttemptPurpose.LOGIN_SINCE_SUCCESS, account, other_policy=None if account.user_id else UNKNOWN_NAME_LIMIT
    )


def release(reservation: Reservation) -> None:
    """Settle an attempt that is neither a success nor a failure. Inside a transaction."""
    for budget in reservation.claimed:
        give_back(budget)


def fail(reservation: Reservation, now: datetime) -> list[AttemptBudget]:
    """Settle a wrong password in every budget; return the rows that it locked. Inside a transaction.

    A lock of an account that the address is known to counts against the address, which may become suspicious. Raises
    LockedOut where an attempt has failed that no lock has bound before.
    """
    if not reservation.claimed:
        check(reservation.account, reservation.address, now)
    known = reservation.is_known_address
    budgets = _budgets(
        reservation.account, reservation.address, is_known_address=known, is_suspected=reservation.is_suspected
    )
    budgets = (*budgets, _since_success(reservation.account))
    counted = [count_failure(budget, now, claimed=budget in reservation.claimed) for budget in budgets]
    if known and any(row and row.purpose == AttemptPurpose.LOGIN for row in counted):
        counted.append(count_failure(suspicion(reservation.address), now, claimed=False))
    return [row for row in counted if row]
