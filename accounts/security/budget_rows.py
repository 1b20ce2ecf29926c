"""The statements on the rows of budgets, prepared: a login makes several of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, reduce
from operator import or_
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Field, Q

from accounts.models import AttemptBudget
from accounts.policies import RESERVATION_LIFE, Lockout
from audit.prepared import PreparedInsert, PreparedRows, PreparedUpdate, update_query

Key = Mapping[str, Any]

_NOW: Final = DateTimeField()
_COLUMNS: Final["Mapping[str, Field[Any, Any]]"] = {
    field.attname: field for field in AttemptBudget._meta.concrete_fields if not field.primary_key
}
_KEY: Final = {name: _COLUMNS[name] for name in ("purpose", "account_id", "name_digest", "address")}
_COUNTERS: Final = {name: field for name, field in _COLUMNS.items() if name not in _KEY}

_INSERT: Final = PreparedInsert(AttemptBudget)
_ROW: Final = PreparedRows(lambda **key: AttemptBudget.objects.filter(**key).order_by(), **_KEY)
_ROW_FOR_UPDATE: Final = PreparedRows(
    lambda **key: AttemptBudget.objects.select_for_update().filter(**key).order_by(), **_KEY
)
_RELEASE: Final = PreparedUpdate(lambda **key: AttemptBudget.objects.filter(**key).release(), **_KEY)
_RESET: Final = PreparedUpdate(
    lambda **key: update_query(AttemptBudget.objects.filter(**key), count=0, locks=0, locked_until=None), **_KEY
)
_SAVE: Final = PreparedUpdate(
    lambda **columns: update_query(
        AttemptBudget.objects.filter(**{name: columns[name] for name in _KEY}),
        **{name: columns[name] for name in _COUNTERS},
    ),
    **_COLUMNS,
)


def get(key: Key) -> AttemptBudget | None:
    """Return the row with this key, or None."""
    return _ROW.first(**key)


def get_all(keys: Sequence[Key]) -> list[AttemptBudget]:
    """Return the rows with these keys, by one statement."""
    numbered = {f"{name}_{number}": value for number, key in enumerate(keys) for name, value in key.items()}
    return _rows_of(len(keys)).all(**numbered)


@cache
def _rows_of(count: int) -> PreparedRows[AttemptBudget]:
    def build(**numbered: Any) -> Any:
        keys = (Q(**{name: numbered[f"{name}_{number}"] for name in _KEY}) for number in range(count))
        return AttemptBudget.objects.filter(reduce(or_, keys)).order_by()

    fields = {f"{name}_{number}": field for name, field in _KEY.items() for number in range(count)}
    return PreparedRows(build, **fields)


def get_for_update(key: Key, expires_at: datetime) -> AttemptBudget:
    """Return the row with this key, locked until the transaction ends; it is inserted where there is none."""
    if row := _ROW_FOR_UPDATE.first(**key):
        return row
    row = AttemptBudget(**key, expires_at=expires_at)
    # Where another transaction was first, its row is there once that has committed.
    return row if insert(row) else get_for_update(key, expires_at)


def insert(row: AttemptBudget) -> bool:
    """Insert a row; False where there is one with its key already. Inside a transaction."""
    try:
        with transaction.atomic():
            _INSERT.execute(row)
    except IntegrityError:
        return False
    return True


def save(row: AttemptBudget) -> None:
    """Write the counters of a row that `get_for_update` returned."""
    _SAVE.execute(**{name: getattr(row, name) for name in _COLUMNS})


def claim(key: Key, policy: Lockout, now: datetime) -> bool:
    """Take one attempt out of the budget with this key; False where none is left, and where there is no row."""
    return bool(_claim(policy).execute(now=now, **key))


@cache
def _claim(policy: Lockout) -> PreparedUpdate:
    return PreparedUpdate(lambda now, **key: AttemptBudget.objects.filter(**key).claim(policy, now), now=_NOW, **_KEY)


def insert_claimed(key: Key, policy: Lockout, now: datetime) -> bool:
    """Insert the row with one attempt taken; False where there is one already."""
    return insert(
        AttemptBudget(**key, in_flight=1, expires_at=now + policy.window, claims_expire_at=now + RESERVATION_LIFE)
    )


def settle_success(own: Key, successes: Key, limit: int, window: timedelta, now: datetime) -> int:
    """Settle a good login in the row of its address, and count it among the account's successes, if one is left.

    Returns how many of the two rows there were.
    """
    return _settle_success(limit, window).execute(now=now, **own, successes=successes["purpose"])


@cache
def _settle_success(limit: int, window: timedelta) -> PreparedUpdate:
    def build(now: Any, successes: Any, address: Any, purpose: Any, **account: Any) -> Any:
        left = Q(count__lt=limit) | Q(expires_at__lte=now)
        own, counted = Q(purpose=purpose, address=address), Q(left, purpose=successes, address="")
        return AttemptBudget.objects.filter(own | counted, **account).settle_success(window, now)

    return PreparedUpdate(build, now=_NOW, successes=_KEY["purpose"], **_KEY)


def reset(key: Key) -> None:
    """Forget the failures and the lock of the budget with this key."""
    _RESET.execute(**key)


def release(key: Key) -> None:
    """Give an attempt that was taken back."""
    _RELEASE.execute(**key)


def spend(key: Key, limit: int, window: timedelta, now: datetime) -> bool:
    """Count one use in the budget with this key; False where its limit is reached, and where there is no row."""
    return bool(_spend(limit, window).execute(now=now, **key))


@cache
def _spend(limit: int, window: timedelta) -> PreparedUpdate:
    return PreparedUpdate(
        lambda now, **key: AttemptBudget.objects.filter(**key).spend(limit, window, now), now=_NOW, **_KEY
    )
