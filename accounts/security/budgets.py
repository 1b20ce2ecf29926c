"""Budgets of attempts: the key of a row, the policy that it is held to, and what is counted in one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.crypto import salted_hmac

from accounts.models import AttemptBudget, AttemptPurpose
from accounts.policies import (
    ACCOUNT_ADDRESS_LIMIT,
    ADDRESS_LIMIT,
    CODE_CHECK_LIMIT,
    LOGINS_LIMIT,
    SLOW_GUESSING_LIMIT,
    SUSPICION_LIMIT,
    UNKNOWN_ADDRESSES_LIMIT,
    Lockout,
)
from accounts.security import budget_rows
from accounts.transactions import atomically, repeatedly

_POLICIES: Final[Mapping[str, Lockout]] = {
    AttemptPurpose.LOGIN: ACCOUNT_ADDRESS_LIMIT,
    AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES: UNKNOWN_ADDRESSES_LIMIT,
    AttemptPurpose.LOGIN_SINCE_SUCCESS: SLOW_GUESSING_LIMIT,
    AttemptPurpose.LOGIN_SUCCESSES: LOGINS_LIMIT,
    AttemptPurpose.LOGIN_CHALLENGES: LOGINS_LIMIT,
    AttemptPurpose.ADDRESS: ADDRESS_LIMIT,
    AttemptPurpose.ADDRESS_SUSPICION: SUSPICION_LIMIT,
    AttemptPurpose.RESET_CHECK: CODE_CHECK_LIMIT,
    AttemptPurpose.EMAIL_CHECK: CODE_CHECK_LIMIT,
    AttemptPurpose.PHONE_CHECK: CODE_CHECK_LIMIT,
}


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
    """The key of one row; the purpose also says which policy the row is held to, unless `other_policy` does."""

    purpose: AttemptPurpose
    account: Account = NO_ACCOUNT
    address: str = ""
    other_policy: Lockout | None = field(default=None, compare=False)

    @property
    def policy(self) -> Lockout:
        return self.other_policy or _POLICIES[self.purpose]

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


def address_budget(address: str) -> Budget:
    """Return the budget of an address over all accounts, which failed logins and wrong codes share."""
    return Budget(AttemptPurpose.ADDRESS, address=address)


def read(budgets: Sequence[Budget]) -> dict[Budget, AttemptBudget]:
    """Return the rows that budgets have, by one statement."""
    found = {
        Budget(AttemptPurpose(row.purpose), Account(row.account_id, row.name_digest), row.address): row
        for row in budget_rows.get_all([budget.key() for budget in budgets])
    }
    return {budget: found[budget] for budget in budgets if budget in found}


def claim(budget: Budget, now: datetime) -> bool:
    """Claim an attempt from one budget, and commit; False where there is none left."""
    return atomically(lambda: claim_in_transaction(budget, now, likely_new=False))


def claim_by_statement(budget: Budget, now: datetime) -> bool:
    """Claim an attempt from one budget without a transaction; False where there is none left, or no row yet."""
    return repeatedly(lambda: budget_rows.claim(budget.key(), budget.policy, now))


def claim_in_transaction(budget: Budget, now: datetime, *, likely_new: bool) -> bool:
    """Claim an attempt from one budget, as `claim` does; with `likely_new` an insertion is tried first."""
    key, policy = budget.key(), budget.policy
    if likely_new and budget_rows.insert_claimed(key, policy, now):
        return True
    if budget_rows.claim(key, policy, now):
        return True
    # Where another attempt has inserted the row meanwhile, there are attempts left in it.
    is_new = budget_rows.get(key) is None and budget_rows.insert_claimed(key, policy, now)
    return is_new or budget_rows.claim(key, policy, now)


def count_failure(budget: Budget, now: datetime, *, claimed: bool = True) -> AttemptBudget | None:
    """Count a failure in one budget; return its row if that locked it. Inside a transaction."""
    row = _for_update(budget, now)
    locked = row.count_failure(budget.policy, now, claimed=claimed)
    budget_rows.save(row)
    return row if locked else None


def locked_for(budget: Budget, now: datetime) -> timedelta | None:
    """Return how much longer a budget is locked, or None."""
    row = budget_rows.get(budget.key())
    return row.locked_for(now) if row else None


def give_back(budget: Budget) -> None:
    """Settle an attempt at one budget that is neither a success nor a failure."""
    budget_rows.release(budget.key())


def refuse(budget: Budget, now: datetime) -> int:
    """Count a refusal in the locked row; return how many are due in the trail as one row. Inside a transaction."""
    row = _for_update(budget, now)
    due = row.count_refusal(now)
    budget_rows.save(row)
    return due


def _for_update(budget: Budget, now: datetime) -> AttemptBudget:
    return budget_rows.get_for_update(budget.key(), now + budget.policy.window)
