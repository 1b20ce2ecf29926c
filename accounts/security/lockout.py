"""How many wrong passwords may be tried, decided in the database before anything is hashed.

Three budgets bind an attempt: the pair's (this account from this address), the account's from all addresses that it
has not logged in from lately, and the address's over all accounts. A pair known from a good login is bound by its own
alone, so that nobody elsewhere can lock its owner out.

A quiet login takes from the pair's budget only. The other two are taken from as soon as they hold a failure; what is in
flight at that moment is at most one attempt a hashing slot. Rows are always written in one order, the address's first
and the pair's last, each by a statement of its own, so that attempts cannot deadlock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import salted_hmac

from accounts.models import LoginBudget
from accounts.models.login_budget import ELSEWHERE_ADDRESS
from accounts.policies import ADDRESS, ELSEWHERE, PAIR, RESERVATION_LIFE, Lockout
from accounts.transactions import atomically


@dataclass(frozen=True, slots=True)
class Account:
    """Whose password is tried: a user, or a name that no user has."""

    user_id: int = 0
    name_digest: str = ""

    @classmethod
    def nobody(cls, canonical_name: str) -> "Account":
        return cls(name_digest=salted_hmac("accounts.lockout", canonical_name, algorithm="sha256").hexdigest())

    def digest_for(self, what: str) -> str:
        """Return what tells the rows of another budget of this account from those of its logins."""
        return salted_hmac("accounts.lockout", self.name_digest + what).hexdigest() if self.name_digest else what


# An address's own budget is over all accounts.
NO_ACCOUNT: Final = Account()


@dataclass(frozen=True, slots=True)
class Budget:
    """One row's key, and the policy that it is held to."""

    account_id: int
    name_digest: str
    address: str
    policy: Lockout

    def key(self) -> dict[str, int | str]:
        return {"account_id": self.account_id, "name_digest": self.name_digest, "address": self.address}


class LockedOut(Exception):
    """A budget that binds the attempt is locked for another `retry_after`."""

    def __init__(self, budget: Budget, retry_after: timedelta) -> None:
        super().__init__()
        self.budget = budget
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on record before an attempt: whether the pair is known, and whether any budget holds a failure."""

    known: bool
    alarmed: bool


@dataclass(frozen=True, slots=True)
class Reservation:
    """An attempt that has been taken out of its budgets and must be settled exactly once."""

    account: Account
    address: str
    known: bool
    claimed: tuple[Budget, ...]


def _budgets(account: Account, address: str, *, known: bool) -> tuple[Budget, ...]:
    """Return the budgets of an attempt, in the order in which they are always written."""
    pair = Budget(account.user_id, account.name_digest, address, PAIR)
    of_address = Budget(0, "", address, ADDRESS)
    if known:
        return of_address, pair
    return of_address, Budget(account.user_id, account.name_digest, ELSEWHERE_ADDRESS, ELSEWHERE), pair


def _rows_of(account_id: object, address: str) -> Q:
    of_account = Q(account_id=account_id, name_digest="", address__in=[address, ELSEWHERE_ADDRESS])
    return of_account | Q(account_id=0, name_digest="", address=address)


def standing_of_user(address: str, now: datetime) -> dict[str, Exists]:
    """Return annotations for a query of users, so that the standing comes with the user in one statement."""
    rows = LoginBudget.objects
    return {
        "known": Exists(rows.known(now).filter(account_id=OuterRef("pk"), name_digest="", address=address)),
        "alarmed": Exists(rows.alarmed(now).filter(_rows_of(OuterRef("pk"), address))),
    }


def check(account: Account, address: str, now: datetime) -> Standing:
    """Return the standing as it is now. Raises LockedOut, with the longest lock, where one that binds is locked."""
    budgets = _budgets(account, address, known=False)
    rows = _read(budgets)
    pair = rows.get(budgets[-1])
    known = pair is not None and pair.is_known(now)
    locks = [
        (left, budget) for budget, row in rows.items() if _binds(budget, known=known) and (left := row.locked_for(now))
    ]
    if locks:
        left, budget = max(locks, key=lambda lock: lock[0])
        raise LockedOut(budget, left)
    return Standing(known, alarmed=any(row.failed for row in rows.values()))


def _read(budgets: Iterable[Budget]) -> dict[Budget, LoginBudget]:
    """Return the rows that budgets have, by one statement."""
    keys = reduce(or_, (Q(**budget.key()) for budget in budgets))
    found = {(row.account_id, row.name_digest, row.address): row for row in LoginBudget.objects.filter(keys)}
    rows = {budget: found.get((budget.account_id, budget.name_digest, budget.address)) for budget in budgets}
    return {budget: row for budget, row in rows.items() if row}


def _binds(budget: Budget, *, known: bool) -> bool:
    return not known or budget.policy is PAIR


def reserve(account: Account, address: str, standing: Standing, now: datetime) -> Reservation | None:
    """Take an attempt out of every budget that binds, all or none, and commit.

    Returns None where a budget is locked or full: what is in flight may give it back, and `check` tells which it is.
    """
    claimed = tuple(
        budget
        for budget in _budgets(account, address, known=standing.known)
        if budget.policy is PAIR or (standing.alarmed and _binds(budget, known=standing.known))
    )
    # A pair that is neither known nor alarmed has most likely never been seen.
    likely_new = not standing.known and not standing.alarmed

    def claim() -> bool:
        for budget in claimed:
            if not _claim(budget, now, likely_new=likely_new):
                transaction.set_rollback(True)
                return False
        return True

    return Reservation(account, address, standing.known, claimed) if atomically(claim) else None


def claim(budget: Budget, now: datetime) -> bool:
    """Take an attempt out of one budget, and commit; False where there is none left."""
    return atomically(lambda: _claim(budget, now, likely_new=False))


def _claim(budget: Budget, now: datetime, *, likely_new: bool) -> bool:
    rows = LoginBudget.objects.filter(**budget.key())
    if likely_new and _insert(budget, now):
        return True
    if rows.claim(budget.policy, now):
        return True
    # Whoever makes the row meanwhile leaves the other tries in it.
    return (not rows.exists() and _insert(budget, now)) or bool(rows.claim(budget.policy, now))


def _insert(budget: Budget, now: datetime) -> bool:
    """Make the row with one attempt taken; False where it is there already."""
    try:
        with transaction.atomic():
            LoginBudget.objects.create(
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
        rows = LoginBudget.objects.filter(**budget.key())
        if budget.policy is PAIR:
            rows.release(failed=0, locks=0, locked_until=None, last_success_at=now)
        else:
            rows.release()


def release(reservation: Reservation) -> None:
    """Settle an attempt that proves nothing, good or bad. Inside a transaction."""
    for budget in reservation.claimed:
        give_back(budget)


def fail(reservation: Reservation, now: datetime) -> list[LoginBudget]:
    """Settle a wrong password in every budget; return the rows that it locked. Inside a transaction."""
    budgets = _budgets(reservation.account, reservation.address, known=reservation.known)
    counted = [count_failure(budget, now, claimed=budget in reservation.claimed) for budget in budgets]
    return [row for row in counted if row]


def count_failure(budget: Budget, now: datetime, *, claimed: bool = True) -> LoginBudget | None:
    """Count a failure in one budget; return its row if that locked it. Inside a transaction."""
    row = _for_update(budget, now)
    locked = row.count_failure(budget.policy, now, claimed=claimed)
    row.save()
    return row if locked else None


def locked_for(budget: Budget, now: datetime) -> timedelta | None:
    """Return how much longer a budget is locked, or None."""
    row = LoginBudget.objects.filter(**budget.key()).first()
    return row.locked_for(now) if row else None


def give_back(budget: Budget) -> None:
    """Settle an attempt at one budget that proves nothing."""
    LoginBudget.objects.filter(**budget.key()).release()


def refuse(budget: Budget, now: datetime) -> int:
    """Count a refusal in the locked row; return how many are due in the trail as one row. Inside a transaction."""
    row = _for_update(budget, now)
    due = row.count_refusal(now)
    row.save(update_fields=["refused", "refusal_recorded_at"])
    return due


def unlock(user_id: int, *, codes_too: bool) -> int:
    """Forget a user's failed logins and locks everywhere; return how many budgets had any. Inside a transaction.

    With `codes_too` the wrong codes and the codes that were sent are forgotten as well.
    """
    rows = LoginBudget.objects.filter(account_id=user_id).exclude(failed=0, locks=0, locked_until=None)
    if not codes_too:
        rows = rows.filter(name_digest="")
    return rows.update(failed=0, locks=0, locked_until=None)


def is_locked(now: datetime) -> Exists:
    """Return an annotation for a query of users: whether anything is locked for the account's logins."""
    return Exists(LoginBudget.objects.filter(account_id=OuterRef("pk"), name_digest="", locked_until__gt=now))


def _for_update(budget: Budget, now: datetime) -> LoginBudget:
    row, _made = LoginBudget.objects.select_for_update().get_or_create(
        **budget.key(), defaults={"expires_at": now + budget.policy.window}
    )
    return row
