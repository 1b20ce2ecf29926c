"""The key ring: key sets named by purpose, encrypted at rest, made on first need.

A purpose is `contract:kind`, such as `native:access`. A secret that the environment gives for a contract is the only
key of that contract's purposes.
"""

import hashlib
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, Protocol, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwt.algorithms import ECAlgorithm

from accounts.errors import KeysUnavailable
from accounts.models import SigningKey
from accounts.policies import HMAC_BYTES, KEYS_REREAD, REMEMBERED_TOKENS, SHARED_KEYS, TokenPolicy
from accounts.security import encryption
from accounts.security.clock import clock_check

logger = logging.getLogger(__name__)

_KID = re.compile(r"[0-9a-f]{16}")
ENCRYPTED_FOR: Final = "signing keys"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Key:
    """A key ready for use. `secret` is a PEM private key for ES256, the key's bytes in hexadecimal for HMAC."""

    kid: str
    algorithm: str
    secret: str = field(repr=False)
    signs_from: datetime = _LONG_AGO
    verifies_until: datetime = _NEVER

    @cached_property
    def signing(self) -> Any:
        if self.algorithm in HMAC_BYTES:
            return bytes.fromhex(self.secret)
        return serialization.load_pem_private_key(self.secret.encode(), password=None)

    @cached_property
    def verifying(self) -> Any:
        return self.signing if self.algorithm in HMAC_BYTES else self.signing.public_key()

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key (RFC 7517). Only for asymmetric keys."""
        public = ECAlgorithm.to_jwk(self.verifying, as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}


class _Dated(Protocol):
    @property
    def signs_from(self) -> datetime: ...


D = TypeVar("D", bound=_Dated)


def signer_of(keys: Sequence[D], now: datetime) -> D:
    """Return which of a set's valid keys, newest first, signs now: the newest that all nodes have read by now.

    Where no key is that old, the oldest is the one that most nodes have read.
    """
    return next((key for key in keys if key.signs_from <= now), keys[-1])


class KeySet:
    """The keys of one purpose as they were read, newest first, and the tokens that they have verified.

    Changed keys make a new set, so that nothing is remembered of the former ones.
    """

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys
        self._lock = threading.Lock()
        self._verified: dict[tuple[TokenPolicy, str], tuple[Key, str]] = {}

    def verifying(self, now: datetime) -> tuple[Key, ...]:
        return tuple(key for key in self.keys if now < key.verifies_until)

    def find(self, kid: str, now: datetime) -> Key | None:
        """Return the key of that name if it verifies at this time."""
        return next((key for key in self.verifying(now) if key.kid == kid), None)

    def recall(self, policy: TokenPolicy, token: str, now: datetime) -> str | None:
        """Return the payload that was remembered for this very token, if its key still verifies."""
        key, payload = self._verified.get((policy, token), (None, None))
        return payload if key and now < key.verifies_until else None

    def remember(self, policy: TokenPolicy, token: str, key: Key, payload: str) -> None:
        """Remember that the token's signature was verified with that key; the oldest memory goes for it."""
        with self._lock:
            if len(self._verified) >= REMEMBERED_TOKENS:
                del self._verified[next(iter(self._verified))]
            self._verified[policy, token] = key, payload


def _new_secret(algorithm: str) -> str:
    if algorithm in HMAC_BYTES:
        return secrets.token_hex(HMAC_BYTES[algorithm])
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def new_row(*, purpose: str, number: int, algorithm: str, lifetime: timedelta) -> SigningKey:
    """Return a new key, encrypted and not yet saved."""
    return SigningKey(
        kid=secrets.token_hex(8),
        purpose=purpose,
        number=number,
        algorithm=algorithm,
        lifetime=lifetime,
        encrypted=encryption.encrypt(ENCRYPTED_FOR, _new_secret(algorithm)),
    )


def _make_first(policy: TokenPolicy) -> None:
    """Start a key set; where another process was first, that one's key stands."""
    row = new_row(purpose=policy.purpose, number=1, algorithm=policy.algorithm, lifetime=policy.lifetime)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if not SigningKey.objects.filter(purpose=policy.purpose).exists():
            raise


def contract_of(purpose: str) -> str:
    return purpose.partition(":")[0]


def given_keys() -> dict[str, Key]:
    """Return the keys that the environment gives, by contract."""
    return {
        contract: Key(_name_of(secret.encode()), SHARED_KEYS[contract], secret.encode().hex())
        for contract, secret in settings.JWT_KEYS.items()
    }


def _name_of(secret: bytes) -> str:
    return hashlib.sha256(b"authsvc name of a given key\0" + secret).hexdigest()[:16]


def _opened(row: SigningKey) -> Key:
    try:
        secret = encryption.decrypt(ENCRYPTED_FOR, row.encrypted)
    except encryption.DecryptionError as error:
        raise KeysUnavailable(
            f"Signing key {row.kid} of {row.purpose} was encrypted with another SECRET_KEY: set the former SECRET_KEY "
            "in SECRET_KEY_FALLBACKS, or, if it is lost, run `manage.py keys rotate --all` and then `manage.py keys "
            "retire` for each older key that `manage.py keys list` shows, which ends every session."
        ) from error
    return Key(row.kid, row.algorithm, secret, row.signs_from, row.verifies_until or _NEVER)


def _stored(purpose: str) -> tuple[Key, ...]:
    """Return the keys of a set that can be read, newest first. Raises KeysUnavailable where there are only others."""
    keys: list[Key] = []
    unreadable: list[KeysUnavailable] = []
    for row in SigningKey.objects.verifying(timezone.now()).filter(purpose=purpose).order_by("-number"):
        try:
            keys.append(_opened(row))
        except KeysUnavailable as error:
            unreadable.append(error)
    if unreadable and not keys:
        raise unreadable[0]
    for each in unreadable:
        logger.error("%s Until then its tokens are refused.", each)
    return tuple(keys)


def unreadable_purposes() -> set[str]:
    """Return the key sets in use that have keys and none that can be read."""
    readable: dict[str, bool] = {}
    for row in SigningKey.objects.verifying(timezone.now()):
        if contract_of(row.purpose) not in settings.JWT_KEYS:
            readable[row.purpose] = readable.get(row.purpose, False) or _is_readable(row)
    return {purpose for purpose, is_readable in readable.items() if not is_readable}


def _is_readable(row: SigningKey) -> bool:
    try:
        _opened(row)
    except KeysUnavailable:
        return False
    return True


class KeyRing:
    """The key sets as this process knows them; none is older than KEYS_REREAD when it is used."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sets: dict[str, tuple[KeySet, float]] = {}

    def signer(self, policy: TokenPolicy) -> Key:
        """Return the key that signs now; the first call ever makes it.

        Raises KeysUnavailable, also while this machine's clock is wrong.
        """
        clock_check.require_right()
        now = timezone.now()
        return signer_of(self._verifying(policy, now), now)

    def all(self, policy: TokenPolicy) -> tuple[Key, ...]:
        """Return the keys that verify, newest first; never none."""
        return self._verifying(policy, timezone.now())

    def _verifying(self, policy: TokenPolicy, now: datetime) -> tuple[Key, ...]:
        key_set = self.current(policy)
        if not key_set.keys:
            _make_first(policy)
            key_set = self._read(policy.purpose)
        return key_set.verifying(now)

    def current(self, policy: TokenPolicy) -> KeySet:
        """Return the policy's key set."""
        key_set, read_at = self._sets.get(policy.purpose, (None, 0.0))
        if key_set and self._clock() - read_at < KEYS_REREAD.total_seconds():
            return key_set
        return self._read(policy.purpose)

    def current_with(self, policy: TokenPolicy, kid: str) -> KeySet:
        """Return the policy's key set, read anew if another process has just made a key of this name."""
        key_set = self.current(policy)
        known = any(key.kid == kid for key in key_set.keys)
        if known or not _KID.fullmatch(kid) or contract_of(policy.purpose) in settings.JWT_KEYS:
            return key_set
        if SigningKey.objects.filter(purpose=policy.purpose, kid=kid).exists():
            return self._read(policy.purpose)
        return key_set

    def forget(self) -> None:
        """Read every set anew at its next use."""
        self._sets.clear()

    def _read(self, purpose: str) -> KeySet:
        # The time before the look: what is written during it must not count as known.
        read_at = self._clock()
        given = given_keys().get(contract_of(purpose))
        keys = (given,) if given else _stored(purpose)
        key_set, _ = self._sets.get(purpose, (None, 0.0))
        if key_set is None or key_set.keys != keys:
            key_set = KeySet(keys)
        self._sets[purpose] = key_set, read_at
        return key_set


ring = KeyRing()
