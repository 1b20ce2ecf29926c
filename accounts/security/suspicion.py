"""Suspicious addresses: those that have locked several accounts known there.

Known users behind such an address are locked later, and the passwords tried from it are evaluated slowly, so that one
guesser behind a shared address can lock few of the others there.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import Overloaded
from accounts.models import AttemptBudget, AttemptPurpose
from accounts.policies import SUSPECTED_RATE, SUSPECTED_RATE_WINDOW, SUSPECTED_SHARE, SUSPECTED_SHARE_WINDOW
from accounts.security import budget_rows
from accounts.security.budgets import Account, Budget
from accounts.security.parallel_calls import ParallelCalls
from accounts.security.quota import Quota
from accounts.transactions import atomically
from accounts.turns import prepare_to_wait

_RETRY_SECONDS: Final = 0.05


def suspicion(address: str) -> Budget:
    """Return the budget of accounts known at an address that it has locked; while it is locked, it is suspicious."""
    return Budget(AttemptPurpose.ADDRESS_SUSPICION, address=address)


def suspected(now: datetime) -> QuerySet[AttemptBudget]:
    """Return the rows of the addresses that are suspicious now; `locked_until` is when they no longer are."""
    return AttemptBudget.objects.filter(purpose=AttemptPurpose.ADDRESS_SUSPICION, locked_until__gt=now)


_parallel = ParallelCalls()


def wait_for_turn(address: str, account: Account, wait: timedelta) -> None:
    """Return when the next password from a suspicious address may be evaluated: two a second over all accounts.

    In a process one call of an account waits, and an account has five turns a minute, so that few accounts do not take
    the turns of all others. Raises Overloaded after the wait, and at once where more calls wait than can have a turn in
    time or the account has had its share.
    """
    deadline = time.monotonic() + wait.total_seconds()
    limit = SUSPECTED_RATE * max(1, int(wait / SUSPECTED_RATE_WINDOW))
    retry_after = SUSPECTED_RATE_WINDOW
    with _parallel.hold((address, account), 1, retry_after), _parallel.hold(address, limit, retry_after):
        atomically(lambda: _share(address, account).spend(timezone.now()))
        while not _spend(address, timezone.now()):
            if time.monotonic() > deadline:
                raise Overloaded(retry_after=wait)
            prepare_to_wait()
            time.sleep(_RETRY_SECONDS)


def _share(address: str, account: Account) -> Quota:
    return Quota(AttemptPurpose.ADDRESS_RATE, SUSPECTED_SHARE, SUSPECTED_SHARE_WINDOW, Overloaded, account, address)


def _spend(address: str, now: datetime) -> bool:
    """Count one password of the current second; False where there is none left in it."""
    key = Budget(AttemptPurpose.ADDRESS_RATE, address=address).key()

    def work() -> bool:
        if budget_rows.spend(key, SUSPECTED_RATE, SUSPECTED_RATE_WINDOW, now):
            return True
        # The first password from the address has no row to be counted in yet.
        expires_at = now + SUSPECTED_RATE_WINDOW
        return budget_rows.get(key) is None and budget_rows.insert(AttemptBudget(**key, count=1, expires_at=expires_at))

    return atomically(work)
