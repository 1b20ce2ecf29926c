"""Rotation and removal of signing keys."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.models import SigningKey
from accounts.policies import CLOCK_SKEW, KEY_KNOWN_EVERYWHERE
from accounts.security.keys import contract_of, given_keys, new_row
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


class KeyChangeRefused(Exception):
    """The change was not made; the message says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The new key, and the former newest, which verifies until all its tokens have expired."""

    key: SigningKey
    former: SigningKey
    former_until: datetime


def stored_purposes() -> list[str]:
    """Return the names of the key sets in the database that are in use."""
    purposes = SigningKey.objects.order_by("purpose").values_list("purpose", flat=True).distinct()
    return [purpose for purpose in purposes if contract_of(purpose) not in settings.JWT_KEYS]


def rotate(*, purpose: str, origin: Origin) -> Rotation:
    """Add a key to a set, which signs as soon as all nodes have read it.

    Of two rotations at once one is refused. Raises KeyChangeRefused.
    """
    if (contract := contract_of(purpose)) in settings.JWT_KEYS:
        raise KeyChangeRefused(_from_environment(contract))
    return atomically(lambda: _rotate(purpose, origin))


def _rotate(purpose: str, origin: Origin) -> Rotation:
    former = SigningKey.objects.filter(purpose=purpose, verifies_until=None).first()
    if former is None:
        existing = ", ".join([*settings.JWT_KEYS, *stored_purposes()]) or "none yet; they are created on first use"
        raise KeyChangeRefused(f"There is no key set {purpose}. The key sets are: {existing}.")
    now = timezone.now()
    # It still signs until all nodes have read the new one, and a little longer where a node's clock is late.
    until = now + KEY_KNOWN_EVERYWHERE + former.lifetime + CLOCK_SKEW
    if not SigningKey.objects.filter(pk=former.pk, verifies_until=None).update(verifies_until=until):
        raise KeyChangeRefused(f"Another process has just rotated {purpose}; nothing was changed.")
    SigningKey.objects.filter(purpose=purpose, verifies_until__lte=now).delete()
    key = new_row(purpose=purpose, number=former.number + 1, algorithm=former.algorithm, lifetime=former.lifetime)
    key.save(force_insert=True)
    record(SecurityEvent.of(origin, Event.KEY_ROTATED, user_id=None, purpose=purpose, kid=key.kid, former=former.kid))
    return Rotation(key, former, until)


def retirable(kid: str) -> SigningKey:
    """Return the key of that name. Raises KeyChangeRefused where there is none, or where its set has no newer one."""
    for contract, key in given_keys().items():
        if key.kid == kid:
            raise KeyChangeRefused(_from_environment(contract))
    row = SigningKey.objects.filter(pk=kid).first()
    if row is None:
        raise KeyChangeRefused(_unknown(kid))
    if row.verifies_until is None:
        raise KeyChangeRefused(
            f"{kid} is the newest key of {row.purpose}: run `manage.py keys rotate {row.purpose}` first."
        )
    return row


def retire(*, kid: str, origin: Origin) -> None:
    """Remove a key at once; every token that it signed becomes invalid. Raises KeyChangeRefused."""

    def work() -> None:
        row = retirable(kid)
        if not SigningKey.objects.filter(pk=kid).delete()[0]:
            raise KeyChangeRefused(_unknown(kid))
        record(SecurityEvent.of(origin, Event.KEY_RETIRED, user_id=None, purpose=row.purpose, kid=kid))

    atomically(work)


def _unknown(kid: str) -> str:
    return f"There is no key {kid}; `manage.py keys list` shows the existing keys."


def _from_environment(contract: str) -> str:
    return (
        f"The key of {contract} is set in the environment: change {contract.upper()}_JWT_KEY there and restart every "
        "node."
    )
