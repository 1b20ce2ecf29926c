"""Accounts whose logins are locked: which they are, and how one is unlocked."""

from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef

from accounts.models import AttemptBudget, AttemptPurpose

# What these count are no failures: an unlock leaves them.
_USES: Final = (
    AttemptPurpose.LOGIN_SUCCESSES,
    AttemptPurpose.LOGIN_CHALLENGES,
    AttemptPurpose.ADDRESS_RATE,
    AttemptPurpose.OWN_CHANGES,
    AttemptPurpose.OWN_CHANGES_PROVED,
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


def unlock(user_id: int, *, codes_too: bool) -> int:
    """Delete a user's counted failures and locks; return how many budgets had any. Inside a transaction.

    With `codes_too` those of codes go too, and the counts of codes that were sent.
    """
    rows = AttemptBudget.objects.filter(account_id=user_id).exclude(count=0, locks=0, locked_until=None)
    rows = rows.exclude(purpose__in=_USES)
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
