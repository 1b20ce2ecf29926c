"""How often something may be done in a time, decided in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.errors import RetryLater
from accounts.models import LoginBudget
from accounts.models.login_budget import ELSEWHERE_ADDRESS
from accounts.security.lockout import NO_ACCOUNT, Account


@dataclass(frozen=True, slots=True)
class Quota:
    """So many times within a window, for an account, for a name that nobody has, or for an address."""

    what: str
    limit: int
    window: timedelta
    error: type[RetryLater]
    account: Account = NO_ACCOUNT
    address: str = ELSEWHERE_ADDRESS

    def require(self, now: datetime) -> None:
        """Raise `error` where it is used up already, before any work is done for nothing."""
        row = self._row(now)
        if row.is_spent(self.limit, now):
            raise self.error(row.expires_at - now)

    def spend(self, now: datetime) -> None:
        """Count one use. Raises `error`; of those that come at once as many pass as there are left."""
        row = self._row(now)
        if not LoginBudget.objects.filter(pk=row.pk).spend(self.limit, self.window, now):
            raise self.error(max(timedelta(seconds=1), row.expires_at - now))

    def _row(self, now: datetime) -> LoginBudget:
        row, _made = LoginBudget.objects.get_or_create(
            account_id=self.account.user_id,
            name_digest=self.account.digest_for(self.what),
            address=self.address,
            defaults={"expires_at": now + self.window},
        )
        return row
