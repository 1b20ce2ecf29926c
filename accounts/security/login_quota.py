"""The quota of an account's successful logins, which is counted when a login is settled."""

from datetime import datetime

from accounts.models import AttemptPurpose
from accounts.policies import LOGINS_LIMIT
from accounts.security import budget_rows
from accounts.security.budgets import Account, Budget, LockedOut


def successes_budget(account: Account) -> Budget:
    """Return the budget of an account's successful logins from all addresses."""
    return Budget(AttemptPurpose.LOGIN_SUCCESSES, account)


def require_logins(account: Account, now: datetime) -> None:
    """Raise LockedOut where the account's limit of successful logins is reached."""
    budget = successes_budget(account)
    row = budget_rows.get(budget.key())
    if row and row.is_exhausted(LOGINS_LIMIT.limit, now):
        raise LockedOut(budget, row.expires_at - now)
