"""The seal of the trail's rows: keys, the canonical form and the MAC. docs/trail.md describes it for other programs."""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final

from django.conf import settings

# The MAC before a lane's first row.
FIRST_MAC: Final = bytes(32)
# The columns in the order of the canonical form, after the kind, the lane, the number and the name of the key.
COMMON: Final = ("id", "at", "user_id", "contract", "ip", "user_agent", "request_id")
COLUMNS: Final = {
    "attempt": (*COMMON, "identifier", "status", "failure_reason", "repeats", "factor"),
    "event": (*COMMON, "event", "actor_id", "detail"),
}

# RFC 8785 (JCS), for what the trail has: names of keys in ASCII, and numbers that are integers below 2^53.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str).encode


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the seal and its name, which says nothing about it."""

    name: str
    secret: bytes = field(repr=False)

    def mac(self, *parts: bytes) -> bytes:
        return hmac.digest(self.secret, b"".join(parts), "sha256")


@cache
def _derived(text: str) -> Key:
    secret = hmac.digest(text.encode(), b"authsvc trail seal", "sha256")
    return Key(hashlib.sha256(b"authsvc trail key name" + secret).hexdigest()[:16], secret)


def keys() -> dict[str, Key]:
    """Return the keys that verify, by name; the first of them seals."""
    texts = [*settings.AUDIT_KEYS, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return {key.name: key for key in map(_derived, texts)}


def current_key() -> Key:
    """Return the key that seals: the first of AUDIT_KEY, else the one derived from SECRET_KEY."""
    return _derived(settings.AUDIT_KEYS[0] if settings.AUDIT_KEYS else settings.SECRET_KEY)


def without_blank_factor(values: list[Any]) -> list[Any]:
    """Return the values of an attempt as its MAC covers them: without a factor that is blank."""
    return values if values[-1] != "" else values[:-1]


def row_mac(key: Key, previous: bytes, values: Sequence[Any]) -> bytes:
    """Return the MAC of a row: kind, lane, number, name of the key, and COLUMNS in their canonical values."""
    return key.mac(previous, canonical(values))


def canonical(values: Sequence[Any]) -> bytes:
    """Return the values as one JSON array in canonical form."""
    return _encode(values).encode("utf-8", "surrogatepass")


def head_seal(key: Key, lane: int, number: int, last_id: int, mac: bytes) -> bytes:
    """Return the seal of a lane's head."""
    return key.mac(canonical(("head", lane, number, key.name, last_id, mac.hex())))


def checkpoint_seal(key: Key, lane: int, number: int, mac: bytes, until: datetime, at: datetime) -> bytes:
    """Return the seal of a checkpoint."""
    return key.mac(canonical(("checkpoint", lane, number, key.name, mac.hex(), moment(until), moment(at))))


def moment(value: datetime) -> str:
    """Return a time in canonical form: UTC, with six digits of a second."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


@lru_cache(maxsize=4096)
def address(value: str) -> str:
    """Return an IP address in canonical form: its 4 or 16 bytes in hexadecimal. What is no address stays as it is."""
    try:
        return value if "%" in value else ipaddress.ip_address(value).packed.hex()
    except ValueError:
        return value
