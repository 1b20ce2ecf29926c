"""How many wrong passwords may be tried, decided in the database before anything is hashed.

Three budgets bind an attempt: that of the account from this address, that of the account from all addresses unknown to
it, and that of the address over all accounts. From an address that the account has logged in from lately only the
first one binds, so that attempts from elsewhere cannot lock the owner out.

A login takes an attempt from the first budget only, as long as none of the three holds a failure. The other two are
taken from as soon as one does; what is in flight at that moment is at most one attempt a hashing slot. Rows are always
written in one order, the address's first, each by a statement of its own, so that attempts cannot deadlock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import salted_hmac

from accounts.models import AttemptBudget, AttemptPurpose
from accounts.policies import (
    ACCOUNT_ADDRESS_LIMIT,
    ADDRESS_LIMIT,
    CODE_CHECK_LIMIT,
    RESERVATION_LIFE,
    UNKNOWN_ADDRESSES_LIMIT,
    Lockout,
)
from accounts.transactions import atomically

_POLICIES: Final[Mapping[str, Lockout]] = {
    AttemptPurpose.LOGIN: ACCOUNT_ADDRESS_LIMIT,
    AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES: UNKNOWN_ADDRESSES_LIMIT,
    AttemptPurpose.ADDRESS: ADDRESS_LIMIT,
    AttemptPurpose.RESET_CHECK: CODE_CHECK_LIMIT,
    AttemptPurpose.EMAIL_CHECK: CODE_CHECK_LIMIT,
    AttemptPurpose.PHONE_CHECK: CODE_CHECK_LIMIT,
}
_LOGIN_PURPOSES: Final = (AttemptPurpose.LOGIN, AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES)


@dataclass(frozen=True, slots=True)
class Account:
    """The account that an attempt is made at: a user's, or a name that no user has."""

    user_id: int = 0
    name_digest: str = ""

    @classmethod
    def unknown(cls, canonical_name: str) -> "Account":
        """Return the account of a name that no user has; it has budgets as every other."""
        return cls(name_digest=salted_hmac("accounts.lockout", canonical_name, algorithm="sha256").hexdigest())


NO_ACCOUNT: Final = Account()


@dataclass(frozen=True, slots=True)
class Budget:
    """The key of one row; the purpose also says which policy the row is held to."""

    purpose: AttemptPurpose
    account: Account = NO_ACCOUNT
    address: str = ""

    @property
    def policy(self) -> Lockout:
        return _POLICIES[self.purpose]

    def key(self) -> dict[str, Any]:
        return {
            "purpose": self.purpose,
            "account_id": self.account.user_id,
            "name_digest": self.account.name_digest,
            "address": self.address,
        }


class LockedOut(Exception):
    """A budget that binds the attempt is locked for another `retry_after`."""

    def __init__(self, budget: Budget, retry_after: timedelta) -> None:
        super().__init__()
        self.budget = budget
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The budgets as they are before an attempt.

    `is_known_address` says whether the account has logged in from the address lately, `has_failures` whether any of
    its budgets holds a failure or a lock.
    """

    is_known_address: bool
    has_failures: bool


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that has been claimed from its budgets and must be settled exactly once."""

    account: Account
    address: str
    is_known_address: bool
    claimed: tuple[Budget, ...]


def address_budget(address: str) -> Budget:
    """Return the budget of an address over all accounts, which failed logins and wrong codes share."""
    return Budget(AttemptPurpose.ADDRESS, address=address)


def _budgets(account: Account, address: str, *, is_known_address: bool) -> tuple[Budget, ...]:
    """Return the budgets that bind an attempt, in the order in which they are always written."""
    own = Budget(AttemptPurpose.LOGIN, account, address)
    if is_known_address:
        return address_budget(address), own
    return address_budget(address), Budget(AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES, account), own


def budget_state_of_user(address: str, now: datetime) -> dict[str, Exists]:
    """Return annotations for a query of users, so that the budgets' state comes with the user in one statement."""
    rows = AttemptBudget.objects
    of_user = {"account_id": OuterRef("pk"), "name_digest": ""}
    own = Q(purpose=AttemptPurpose.LOGIN, address=address, **of_user)
    unknown_addresses = Q(purpose=AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES, address="", **of_user)
    of_address = Q(**address_budget(address).key())
    return {
        "is_known_address": Exists(rows.from_known_addresses(now).filter(own)),
        "has_failures": Exists(rows.with_failures(now).filter(own | unknown_addresses | of_address)),
    }


def check(account: Account, address: str, now: datetime) -> BudgetState:
    """Return the state of the budgets. Raises LockedOut, with the longest lock, where one that binds is locked."""
    budgets = _budgets(account, address, is_known_address=False)
    rows = _read(budgets)
    own = rows.get(budgets[-1])
    is_known_address = own is not None and own.is_known_address(now)
    locks = [
        (left, budget)
        for budget, row in rows.items()
        if _binds(budget, is_known_address=is_known_address) and (left := row.locked_for(now))
    ]
    if locks:
        left, budget = max(locks, key=lambda lock: lock[0])
        raise LockedOut(budget, left)
    return BudgetState(is_known_address, has_failures=any(row.count for row in rows.values()))


def _read(budgets: Iterable[Budget]) -> dict[Budget, AttemptBudget]:
    """Return the rows that budgets have, by one statement."""
    keys = reduce(or_, (Q(**budget.key()) for budget in budgets))
    found = {
        Budget(AttemptPurpose(row.purpose), Account(row.account_id, row.name_digest), row.address): row
        for row in AttemptBudget.objects.filter(keys)
    }
    return {budget: found[budget] for budget in budgets if budget in found}


def _binds(budget: Budget, *, is_known_address: bool) -> bool:
    return not is_known_address or budget.purpose is AttemptPurpose.LOGIN


def reserve(account: Account, address: str, state: BudgetState, now: datetime) -> Reservation | None:
    """Claim an attempt from every budget that binds, all or none, and commit.

    Returns None where a budget is locked or full: an attempt in flight may be given back, and `check` says which it is.
    """
    known = state.is_known_address
    claimed = tuple(
        budget
        for budget in _budgets(account, address, is_known_address=known)
        if budget.purpose is AttemptPurpose.LOGIN or (state.has_failures and _binds(budget, is_known_address=known))
    )
    # An unknown address without a failure has most likely no row yet.
    likely_new = not known and not state.has_failures

    def claim() -> bool:
        for budget in claimed:
            if not _claim(budget, now, likely_new=likely_new):
                transaction.set_rollback(True)
                return False
        return True

    return Reservation(account, address, known, claimed) if atomically(claim) else None


def claim(budget: Budget, now: datetime) -> bool:
    """Claim an attempt from one budget, and commit; False where there is none left."""
    return atomically(lambda: _claim(budget, now, likely_new=False))


def _claim(budget: Budget, now: datetime, *, likely_new: bool) -> bool:
    rows = AttemptBudget.objects.filter(**budget.key())
    if likely_new and _insert(budget, now):
        return True
    if rows.claim(budget.policy, now):
        return True
    # Where another attempt has inserted the row meanwhile, there are attempts left in it.
    return (not rows.exists() and _insert(budget, now)) or bool(rows.claim(budget.policy, now))


def _insert(budget: Budget, now: datetime) -> bool:
    """Insert the row with one attempt claimed; False where there is one already."""
    try:
        with transaction.atomic():
            AttemptBudget.objects.create(
                **budget.key(),
                in_flight=1,
                expires_at=now + budget.policy.window,
                claims_expire_at=now + RESERVATION_LIFE,
            )
    except IntegrityError:
        return False
    return True


def succeed(reservation: Reservation, now: datetime) -> None:
    """Settle a good login: nothing is counted, and the address is known from now on. Inside a transaction."""
    for budget in reservation.claimed:
        rows = AttemptBudget.objects.filter(**budget.key())
        if budget.purpose is AttemptPurpose.LOGIN:
            rows.release(count=0, locks=0, locked_until=None, last_success_at=now)
        else:
            rows.release()


def release(reservation: Reservation) -> None:
    """Settle an attempt that is neither a success nor a failure. Inside a transaction."""
    for budget in reservation.claimed:
        give_back(budget)


def fail(reservation: Reservation, now: datetime) -> list[AttemptBudget]:
    """Settle a wrong password in every budget; return the rows that it locked. Inside a transaction."""
    budgets = _budgets(reservation.account, reservation.address, is_known_address=reservation.is_known_address)
    counted = [count_failure(budget, now, claimed=budget in reservation.claimed) for budget in budgets]
    return [row for row in counted if row]


def count_failure(budget: Budget, now: datetime, *, claimed: bool = True) -> AttemptBudget | None:
    """Count a failure in one budget; return its row if that locked it. Inside a transaction."""
    row = _for_update(budget, now)
    locked = row.count_failure(budget.policy, now, claimed=claimed)
    row.save()
    return row if locked else None


def locked_for(budget: Budget, now: datetime) -> timedelta | None:
    """Return how much longer a budget is locked, or None."""
    row = AttemptBudget.objects.filter(**budget.key()).first()
    return row.locked_for(now) if row else None


def give_back(budget: Budget) -> None:
    """Settle an attempt at one budget that is neither a success nor a failure."""
    AttemptBudget.objects.filter(**budget.key()).release()


def refuse(budget: Budget, now: datetime) -> int:
    """Count a refusal in the locked row; return how many are due in the trail as one row. Inside a transaction."""
    row = _for_update(budget, now)
    due = row.count_refusal(now)
    row.save(update_fields=["refused", "refusal_recorded_at"])
    return due


def unlock(user_id: int, *, codes_too: bool) -> int:
    """Delete a user's counted failures and locks; return how many budgets had any. Inside a transaction.

    With `codes_too` those of codes go too, and the counts of codes that were sent.
    """
    rows = AttemptBudget.objects.filter(account_id=user_id).exclude(count=0, locks=0, locked_until=None)
    if not codes_too:
        rows = rows.filter(purpose__in=_LOGIN_PURPOSES)
    return rows.update(count=0, locks=0, locked_until=None)


def is_locked(now: datetime) -> Exists:
    """Return an annotation for a query of users: whether any budget of the account's logins is locked."""
    return Exists(
        AttemptBudget.objects.filter(
            purpose__in=_LOGIN_PURPOSES, account_id=OuterRef("pk"), name_digest="", locked_until__gt=now
        )
    )


def _for_update(budget: Budget, now: datetime) -> AttemptBudget:
    row, _created = AttemptBudget.objects.select_for_update().get_or_create(
        **budget.key(), defaults={"expires_at": now + budget.policy.window}
    )
    return row
