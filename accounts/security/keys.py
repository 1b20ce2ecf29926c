"""The key ring: key sets named by purpose, encrypted at rest, made on first need."""

import base64
import secrets
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, transaction
from jwt.algorithms import ECAlgorithm

from accounts.models import SigningKey

# A node notices another node's new key after this time at the latest.
_CACHE_SECONDS = 60.0
# An unknown `kid` makes a node look sooner, but not more often than this.
_LOOK_AGAIN_SECONDS = 5.0
_HMAC_BYTES = {"HS256": 32, "HS384": 48}


@dataclass(frozen=True)
class Key:
    """A key ready for use. `secret` is a PEM private key for ES256, the key's bytes in hexadecimal for HMAC."""

    kid: str
    algorithm: str
    secret: str

    @cached_property
    def signing(self) -> Any:
        if self.algorithm in _HMAC_BYTES:
            return bytes.fromhex(self.secret)
        return serialization.load_pem_private_key(self.secret.encode(), password=None)

    @cached_property
    def verifying(self) -> Any:
        return self.signing if self.algorithm in _HMAC_BYTES else self.signing.public_key()

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JSON Web Key (RFC 7517). Only for asymmetric keys."""
        public = ECAlgorithm.to_jwk(self.verifying, as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}


def _vault() -> Fernet:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"authsvc signing keys").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def _new_secret(algorithm: str) -> str:
    if algorithm in _HMAC_BYTES:
        return secrets.token_hex(_HMAC_BYTES[algorithm])
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def _make(purpose: str, algorithm: str, number: int) -> None:
    """Add a key to a set; where another process was first with this number, that one's key stands."""
    encrypted = _vault().encrypt(_new_secret(algorithm).encode()).decode()
    try:
        with transaction.atomic():
            SigningKey.objects.create(
                kid=secrets.token_hex(8), purpose=purpose, number=number, algorithm=algorithm, encrypted=encrypted
            )
    except IntegrityError:
        if not SigningKey.objects.filter(purpose=purpose, number=number).exists():
            raise


class KeyRing:
    """The key sets as this process knows them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[str, tuple[Key, ...]] = {}
        self._read_at: dict[str, float] = {}

    def newest(self, purpose: str, algorithm: str) -> Key:
        """Return the key that signs now; the first call ever makes it."""
        keys = self._fresh(purpose, _CACHE_SECONDS)
        if not keys:
            _make(purpose, algorithm, number=1)
            keys = self._read(purpose)
        return keys[0]

    def all(self, purpose: str, algorithm: str) -> tuple[Key, ...]:
        """Return the keys that verify, newest first; never none."""
        self.newest(purpose, algorithm)
        return self._sets[purpose]

    def find(self, purpose: str, kid: str) -> Key | None:
        """Return the key of that name from that set, or None."""
        for patience in (_CACHE_SECONDS, _LOOK_AGAIN_SECONDS):
            for key in self._fresh(purpose, patience):
                if key.kid == kid:
                    return key
        return None

    def forget(self) -> None:
        """Read every set anew at its next use."""
        with self._lock:
            self._sets.clear()
            self._read_at.clear()

    def _fresh(self, purpose: str, seconds: float) -> tuple[Key, ...]:
        if time.monotonic() - self._read_at.get(purpose, float("-inf")) < seconds:
            return self._sets[purpose]
        return self._read(purpose)

    def _read(self, purpose: str) -> tuple[Key, ...]:
        vault = _vault()
        keys = tuple(
            Key(row.kid, row.algorithm, vault.decrypt(row.encrypted.encode()).decode())
            for row in SigningKey.objects.filter(purpose=purpose).order_by("-number")
        )
        with self._lock:
            self._sets[purpose] = keys
            self._read_at[purpose] = time.monotonic()
        return keys


ring = KeyRing()
