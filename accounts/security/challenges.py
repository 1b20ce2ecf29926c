"""WebAuthn challenges that need no row: each is random, dated, and signed for one use.

A stranger may ask for as many as they like, because nothing is stored before one has served.
"""

import secrets
from datetime import UTC, datetime
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import SpentChallenge
from accounts.policies import MFA_TOKEN_LIFE

# WebAuthn Level 3, section 13.4.3, asks for at least 16 random bytes.
_RANDOM_BYTES: Final = 16
_TIME_BYTES: Final = 8
_SIGNED_BYTES: Final = _RANDOM_BYTES + _TIME_BYTES


def issue(use: str, now: datetime) -> bytes:
    """Return a challenge for one use, which names the operation and whom it is for."""
    expires = int((now + MFA_TOKEN_LIFE).timestamp())
    content = secrets.token_bytes(_RANDOM_BYTES) + expires.to_bytes(_TIME_BYTES)
    return content + _signature(use, content)


def is_valid(challenge: bytes, use: str, now: datetime) -> bool:
    """Return whether the challenge was issued for this use and has not expired."""
    content, signature = challenge[:_SIGNED_BYTES], challenge[_SIGNED_BYTES:]
    return constant_time_compare(signature, _signature(use, content)) and _expires(challenge) > now


def spent(challenge: bytes) -> SpentChallenge:
    """Return the row that says that a valid challenge has served."""
    return SpentChallenge(id=challenge[:_RANDOM_BYTES].hex(), expires_at=_expires(challenge))


def _expires(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_RANDOM_BYTES:_SIGNED_BYTES]), UTC)


def _signature(use: str, content: bytes) -> bytes:
    return salted_hmac("accounts.challenges", use.encode() + b"\0" + content, algorithm="sha256").digest()
