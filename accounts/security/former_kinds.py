"""The kinds of hashes of former systems that accounts still have: a refused password costs one hash of each.

Otherwise the time of a refusal would tell which accounts exist and have been imported.
"""

import time
from collections import Counter
from typing import Final

from django.db import transaction

from accounts.models import FormerHashKind, User
from accounts.policies import KEYS_REREAD, MOST_FORMER_KINDS
from accounts.security.hash_kinds import HashKind, from_name
from accounts.security.hashing import default_kind
from accounts.security.stored_hashes import parse

# Accounts that are read at once.
_AT_ONCE: Final = 5_000


class _Known:
    """The kinds as this process has read them last."""

    def __init__(self) -> None:
        self.kinds: tuple[HashKind, ...] = ()
        self.read_at: float | None = None


_known = _Known()


def present() -> tuple[HashKind, ...]:
    """Return the kinds in the database as they were at most KEYS_REREAD ago."""
    if _known.read_at is None or time.monotonic() - _known.read_at > KEYS_REREAD.total_seconds():
        names = FormerHashKind.objects.values_list("name", flat=True)[:MOST_FORMER_KINDS]
        _known.kinds = tuple(kind for kind in map(from_name, names) if kind)
        _known.read_at = time.monotonic()
    return _known.kinds


def forget() -> None:
    """Let the next call of `present` read the database."""
    _known.read_at = None


def count() -> Counter[str]:
    """Return how many accounts have a hash of each kind but the default one."""
    found: Counter[str] = Counter()
    last: int | None = 0
    while last is not None:
        rows = list(User.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "password")[:_AT_ONCE])
        hashes = (parse(stored) for _pk, stored in rows)
        found.update(each.kind.name for each in hashes if each and each.kind != default_kind())
        last = rows[-1][0] if rows else None
    return found


def refresh() -> int:
    """Count the kinds anew and store those of most accounts; return how many kinds are no longer stored."""
    found = dict(count().most_common(MOST_FORMER_KINDS))
    with transaction.atomic():
        gone, _ = FormerHashKind.objects.exclude(name__in=found).delete()
        for name, accounts in sorted(found.items()):
            FormerHashKind.objects.update_or_create(name=name, defaults={"accounts": accounts})
    return gone
