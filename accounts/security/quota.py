"""Quotas: how often something may be done in a time, decided in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.errors import TooManyAttempts, TooManyChanges
from accounts.models import AttemptBudget, AttemptPurpose
from accounts.policies import OWN_CHANGES, OWN_CHANGES_WINDOW
from accounts.security import budget_rows
from accounts.security.budgets import NO_ACCOUNT, Account, Budget


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` uses within a window, for an account or for an address; `error` is raised beyond them."""

    purpose: AttemptPurpose
    limit: int
    window: timedelta
    error: Callable[[timedelta], Exception]
    account: Account = NO_ACCOUNT
    address: str = ""

    def require(self, now: datetime) -> None:
        """Raise `error` where no use is left.

        The row is inserted here, and committed, so that transactions which spend at once need not all insert it.
        """
        row = budget_rows.get(self._key())
        if row is None:
            row = AttemptBudget(**self._key(), expires_at=now + self.window)
            budget_rows.insert(row)
        if row.is_exhausted(self.limit, now):
            raise self.error(row.expires_at - now)

    def spend(self, now: datetime) -> None:
        """Count one use. Raises `error`; of parallel uses as many pass as are left."""
        key = self._key()
        if self._count(now):
            return
        row = budget_rows.get(key)
        if row is None:
            row = AttemptBudget(**key, count=1, expires_at=now + self.window)
            if budget_rows.insert(row):
                return
        # Another use may have inserted the row meanwhile; then this one is counted there.
        if not self._count(now):
            raise self.error(max(timedelta(seconds=1), row.expires_at - now))

    def _count(self, now: datetime) -> bool:
        return budget_rows.spend(self._key(), self.limit, self.window, now)

    def _key(self) -> budget_rows.Key:
        return Budget(self.purpose, self.account, self.address).key()


def spend_own_change(user_id: int, now: datetime, *, proved: bool = False) -> None:
    """Count a change that a user makes to the own account; `proved` where the current password was verified for it.

    Raises TooManyChanges.
    """
    purpose = AttemptPurpose.OWN_CHANGES_PROVED if proved else AttemptPurpose.OWN_CHANGES
    Quota(purpose, OWN_CHANGES, OWN_CHANGES_WINDOW, TooManyChanges, Account(user_id)).spend(now)


def spend_change_by_code(user_id: int, now: datetime) -> None:
    """Count a password that is chosen with a valid code or link, which stays valid where the password is refused.

    Whoever has stolen the current password cannot use this quota up. Raises TooManyAttempts.
    """
    purpose = AttemptPurpose.OWN_CHANGES_BY_CODE
    Quota(purpose, OWN_CHANGES, OWN_CHANGES_WINDOW, TooManyAttempts, Account(user_id)).spend(now)
