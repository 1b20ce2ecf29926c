"""Which accounts may log in on a day: active, approved, and within their dates.

Dates are whole days in the service's time zone.
"""

from datetime import date, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone


class Validity(Enum):
    """Where a day is with regard to the dates of an account."""

    NOT_YET = "not_yet"
    CURRENT = "current"
    ENDED = "ended"


def today() -> date:
    """Return the day in the service's time zone."""
    return timezone.localdate(timezone=settings.ZONE)


def may_log_in(day: Any, prefix: str = "") -> Q:
    """Return the condition of accounts that may log in on a day; `prefix` leads to the account, such as `user__`."""
    state = Q(**{f"{prefix}is_active": True, f"{prefix}awaits_approval": False})
    return state & has_begun(day, prefix) & has_not_ended(day, prefix)


def outside_dates(day: Any) -> Q:
    """Return the condition of accounts that may not log in on a day for the sake of their dates alone."""
    return Q(is_active=True, awaits_approval=False) & ~(has_begun(day) & has_not_ended(day))


def has_validity(validity: Validity, day: Any) -> Q:
    """Return the condition of accounts to whose dates a day has this relation, whatever their state."""
    match validity:
        case Validity.NOT_YET:
            return ~has_begun(day)
        case Validity.ENDED:
            return ~has_not_ended(day)
    return has_begun(day) & has_not_ended(day)


def has_begun(day: Any, prefix: str = "") -> Q:
    """Return the condition of accounts whose first day is not after this one."""
    return Q(**{f"{prefix}valid_from": None}) | Q(**{f"{prefix}valid_from__lte": day})


def has_not_ended(day: Any, prefix: str = "") -> Q:
    """Return the condition of accounts whose last day is not before this one."""
    return Q(**{f"{prefix}valid_until": None}) | Q(**{f"{prefix}valid_until__gte": day})


def ends_within(day: date, time: timedelta) -> Q:
    """Return the condition of accounts that may log in on this day, and whose last day follows within the time."""
    return may_log_in(day) & Q(valid_until__lte=day + time)
