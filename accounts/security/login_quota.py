"""The quotas of an account's logins: of successful ones, and of those that wait for the second factor.

Both are counted when a login is settled.
"""

from datetime import datetime
from typing import Final

from accounts.errors import TooManyLogins
from accounts.models import AttemptPurpose
from accounts.policies import LOGINS_LIMIT
from accounts.security import budget_rows
from accounts.security.budgets import Account, Budget, LockedOut
from accounts.security.quota import Quota

# The purposes whose refusals say that there were too many logins, not too many failures.
LOGIN_QUOTAS: Final = frozenset({AttemptPurpose.LOGIN_SUCCESSES, AttemptPurpose.LOGIN_CHALLENGES})


def successes_budget(account: Account) -> Budget:
    """Return the budget of an account's successful logins from all addresses."""
    return Budget(AttemptPurpose.LOGIN_SUCCESSES, account)


def require_logins(account: Account, now: datetime) -> None:
    """Raise LockedOut where the account's limit of successful logins is reached."""
    budget = successes_budget(account)
    row = budget_rows.get(budget.key())
    if row and row.is_exhausted(LOGINS_LIMIT.limit, now):
        raise LockedOut(budget, row.expires_at - now)


def count_challenge(account: Account, address: str, now: datetime) -> None:
    """Count a right password that waits for its second factor. Inside a transaction; raises LockedOut.

    The address is in the key, so that who knows the password cannot use up the logins of the account's owner.
    """
    _count(Budget(AttemptPurpose.LOGIN_CHALLENGES, account, address), now)


def count_login(account: Account, now: datetime) -> None:
    """Count a successful login that took nothing from the budgets of failures. Raises what `count_challenge` does."""
    _count(successes_budget(account), now)


def _count(budget: Budget, now: datetime) -> None:
    limit, window = LOGINS_LIMIT.limit, LOGINS_LIMIT.window
    try:
        Quota(budget.purpose, limit, window, TooManyLogins, budget.account, budget.address).spend(now)
    except TooManyLogins as error:
        raise LockedOut(budget, error.retry_after) from error
