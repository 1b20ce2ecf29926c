"""Lists of people that administrators read through the API, in the trail."""

from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Final

from django.utils import timezone

from accounts.errors import TooManyAttempts
from accounts.models import AttemptPurpose, User
from accounts.policies import LISTING_INTERVAL
from accounts.security.budgets import Account
from accounts.security.quota import Quota
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.record import record

# The caller chooses the query, and a row of the trail is never removed.
_MAX_PARAMETERS: Final = 20
_MAX_LENGTH: Final = 150


def record_listing(*, actor: User, query: Mapping[str, str], rows: int, count: int, origin: Origin) -> None:
    """Record that an administrator lists people, once in each LISTING_INTERVAL.

    `query` has the parameters of the request, `rows` is the number of people in the response and `count` that of all
    that match. Of parallel requests one is recorded.
    """
    asked = {_text(name): _text(value) for name, value in islice(query.items(), _MAX_PARAMETERS)}
    event = SecurityEvent.of(
        origin, Event.PEOPLE_LISTED, user_id=None, actor_id=actor.pk, query=asked, rows=rows, count=count
    )
    _record_once(AttemptPurpose.PEOPLE_LISTED, actor, event)


def record_reading(*, actor: User, user: User, origin: Origin) -> None:
    """Record that an administrator reads the account of another user, once in each LISTING_INTERVAL.

    It has an interval of its own, so that a list before it does not hide a walk over all ids. Of parallel requests one
    is recorded.
    """
    if actor.pk == user.pk:
        return
    event = SecurityEvent.of(origin, Event.PEOPLE_LISTED, user_id=user.pk, actor_id=actor.pk, rows=1)
    _record_once(AttemptPurpose.PEOPLE_READ, actor, event)


def _record_once(purpose: AttemptPurpose, actor: User, event: SecurityEvent) -> None:
    quota = Quota(purpose, 1, LISTING_INTERVAL, TooManyAttempts, account=Account(actor.pk))

    def work() -> None:
        quota.spend(timezone.now())
        record(event)

    # The interval has its event already, or a parallel request records it.
    with suppress(TooManyAttempts):
        quota.require(timezone.now())
        atomically(work)


def _text(value: str) -> str:
    return escape_control_chars(value)[:_MAX_LENGTH]
