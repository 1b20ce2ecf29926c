"""Quotas: how often something may be done in a time, decided in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.errors import RetryLater, TooManyChanges
from accounts.models import AttemptBudget, AttemptPurpose
from accounts.policies import OWN_CHANGES, OWN_CHANGES_WINDOW
from accounts.security.budgets import NO_ACCOUNT, Account


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` uses within a window, for an account or for an address; `error` is raised beyond them."""

    purpose: AttemptPurpose
    limit: int
    window: timedelta
    error: type[RetryLater]
    account: Account = NO_ACCOUNT
    address: str = ""

    def require(self, now: datetime) -> None:
        """Raise `error` where no use is left."""
        row = self._row(now)
        if row.is_exhausted(self.limit, now):
            raise self.error(row.expires_at - now)

    def spend(self, now: datetime) -> None:
        """Count one use. Raises `error`; of parallel uses as many pass as are left."""
        row = self._row(now)
        if not AttemptBudget.objects.filter(pk=row.pk).spend(self.limit, self.window, now):
            raise self.error(max(timedelta(seconds=1), row.expires_at - now))

    def _row(self, now: datetime) -> AttemptBudget:
        row, _created = AttemptBudget.objects.get_or_create(
            purpose=self.purpose,
            account_id=self.account.user_id,
            name_digest=self.account.name_digest,
            address=self.address,
            defaults={"expires_at": now + self.window},
        )
        return row


def spend_own_change(user_id: int, now: datetime, *, proved: bool = False) -> None:
    """Count a change that a user makes to the own account; `proved` where the current password was verified for it.

    Raises TooManyChanges.
    """
    purpose = AttemptPurpose.OWN_CHANGES_PROVED if proved else AttemptPurpose.OWN_CHANGES
    Quota(purpose, OWN_CHANGES, OWN_CHANGES_WINDOW, TooManyChanges, Account(user_id)).spend(now)
