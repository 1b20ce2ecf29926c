"""Locks that are in force: which accounts, names and addresses have them, and how each is unlocked."""

from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from accounts.models import AttemptBudget, AttemptPurpose

# What these count are no failures: an unlock leaves them.
_USES: Final = (
    AttemptPurpose.LOGIN_SUCCESSES,
    AttemptPurpose.LOGIN_CHALLENGES,
    AttemptPurpose.ADDRESS_RATE,
    AttemptPurpose.OWN_CHANGES,
    AttemptPurpose.OWN_CHANGES_PROVED,
    AttemptPurpose.OWN_CHANGES_BY_CODE,
    AttemptPurpose.PEOPLE_LISTED,
    AttemptPurpose.PEOPLE_READ,
    AttemptPurpose.REGISTRATION,
    AttemptPurpose.CODES_OF_ADMINISTRATOR,
)
_LOGIN_PURPOSES: Final = (
    AttemptPurpose.LOGIN,
    AttemptPurpose.LOGIN_UNKNOWN_ADDRESSES,
    AttemptPurpose.LOGIN_SINCE_SUCCESS,
)


_CHECKS: Final = (AttemptPurpose.RESET_CHECK, AttemptPurpose.EMAIL_CHECK, AttemptPurpose.PHONE_CHECK)
# What an unlock clears, by name: the index of budgets begins with the purpose.
_OF_ACCOUNTS: Final = (*_LOGIN_PURPOSES, *(each for each in AttemptPurpose if each.startswith("code:")))
_ADDRESS_PURPOSES: Final = (AttemptPurpose.ADDRESS, AttemptPurpose.ADDRESS_SUSPICION)


def in_force(now: datetime) -> QuerySet[AttemptBudget]:
    """Return the budgets that are locked: of accounts, of names that no account has, and of addresses."""
    return AttemptBudget.objects.filter(
        purpose__in=(*_LOGIN_PURPOSES, *_CHECKS, *_ADDRESS_PURPOSES), locked_until__gt=now
    )


def unlock_name(digest: str) -> int:
    """Delete the counted failures and locks of a name that no account has; return how many budgets had any."""
    return _clear(AttemptBudget.objects.filter(name_digest=digest, purpose__in=(*_LOGIN_PURPOSES, *_CHECKS)))


def unlock_address(address: str) -> int:
    """Delete the counted failures of an address over all accounts, and its suspicion; return how many had any."""
    return _clear(AttemptBudget.objects.filter(address=address, account_id=0, purpose__in=_ADDRESS_PURPOSES))


def _clear(rows: QuerySet[AttemptBudget]) -> int:
    return rows.exclude(count=0, locks=0, locked_until=None).update(count=0, locks=0, locked_until=None)


def unlock(user_id: int, *, codes_too: bool) -> int:
    """Delete a user's counted failures and locks; return how many budgets had any. Inside a transaction.

    With `codes_too` those of codes go too, and the counts of codes that were sent.
    """
    rows = AttemptBudget.objects.filter(account_id=user_id).exclude(purpose__in=_USES)
    if not codes_too:
        rows = rows.filter(purpose__in=_LOGIN_PURPOSES)
    return _clear(rows)


def is_locked(now: datetime) -> Exists:
    """Return an annotation for a query of users: whether any budget of the account's logins is locked."""
    return Exists(
        AttemptBudget.objects.filter(
            purpose__in=_LOGIN_PURPOSES, account_id=OuterRef("pk"), name_digest="", locked_until__gt=now
        )
    )


def is_unlockable(now: datetime) -> Exists:
    """Return an annotation for a query of users: whether an unlock would clear a failure or a lock that still counts.

    Codes that were sent are none, unless they are the last ones for a time.
    """
    rows = AttemptBudget.objects.with_failures(now).filter(purpose__in=_OF_ACCOUNTS)
    failed = rows.filter(Q(purpose__in=(*_LOGIN_PURPOSES, *_CHECKS)) | Q(locked_until__gt=now))
    return Exists(failed.filter(account_id=OuterRef("pk"), name_digest=""))


def locked_until(now: datetime) -> Subquery:
    """Return an annotation for a query of users: until when the longest lock of the account's logins lasts."""
    rows = AttemptBudget.objects.filter(
        purpose__in=_LOGIN_PURPOSES, account_id=OuterRef("pk"), name_digest="", locked_until__gt=now
    )
    return Subquery(rows.order_by("-locked_until").values("locked_until")[:1])
