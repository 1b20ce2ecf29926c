"""Kinds of password hashes that this service verifies: an algorithm and its costs, within limits.

A stored hash with higher costs is not verified, because it could exhaust memory or time.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

import bcrypt
from argon2.low_level import Type, hash_secret_raw

_MOST_MEMORY: Final = 256 * 1024 * 1024
_MOST_ARGON2_TIME: Final = 10
_MOST_LANES: Final = 16
_BCRYPT_COSTS: Final = range(4, 15)
# bcrypt reads this many bytes of a password; a longer one cannot match.
_BCRYPT_BYTES: Final = 72
_MOST_ITERATIONS: Final = 2_000_000
_DIGEST_BYTES: Final = {"sha1": 20, "sha256": 32, "sha512": 64}
# Of N · r · p, to which the time of scrypt is proportional; each unit takes 128 bytes of memory for p = 1.
_MOST_SCRYPT_WORK: Final = 2**20
_SCRYPT_BYTES: Final = 64
_ARGON2_TYPES: Final = {"i": Type.I, "d": Type.D, "id": Type.ID}
_LEAST_ARGON2_SALT: Final = 8
_ARGON2_LENGTHS: Final = range(4, 129)


class HashKind(Protocol):
    """An algorithm with its costs, within the limits; `name` is what the database stores of it."""

    @property
    def name(self) -> str: ...

    def accepts(self, salt: bytes, digest: bytes) -> bool:
        """Return whether a hash of this kind can have this salt and this digest."""

    def derive(self, secret: bytes, salt: bytes, length: int) -> bytes:
        """Return the digest of a password; empty for a password that this kind cannot match, after the same work."""


@dataclass(frozen=True, slots=True)
class Bcrypt:
    """bcrypt; salt and digest are in its own base 64."""

    cost: int

    @property
    def name(self) -> str:
        return f"bcrypt:{self.cost}"

    def accepts(self, salt: bytes, digest: bytes) -> bool:
        # 22 characters have 4 bits more than the salt, which are 0 in a hash that bcrypt has made.
        return len(salt) == 22 and salt[-1:] in {b".", b"O", b"e", b"u"} and len(digest) == 31

    def derive(self, secret: bytes, salt: bytes, length: int) -> bytes:
        found = bcrypt.hashpw(secret[:_BCRYPT_BYTES], b"$2b$%02d$%s" % (self.cost, salt))
        return found[-length:] if len(secret) <= _BCRYPT_BYTES else b""


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """PBKDF2 with HMAC (RFC 8018)."""

    algorithm: str
    iterations: int

    @property
    def name(self) -> str:
        return f"pbkdf2:{self.algorithm}:{self.iterations}"

    def accepts(self, salt: bytes, digest: bytes) -> bool:
        return bool(salt) and len(digest) == _DIGEST_BYTES[self.algorithm]

    def derive(self, secret: bytes, salt: bytes, length: int) -> bytes:
        return hashlib.pbkdf2_hmac(self.algorithm, secret, salt, self.iterations, length)


@dataclass(frozen=True, slots=True)
class Scrypt:
    """scrypt (RFC 7914)."""

    n: int
    r: int
    p: int

    @property
    def name(self) -> str:
        return f"scrypt:{self.n}:{self.r}:{self.p}"

    def accepts(self, salt: bytes, digest: bytes) -> bool:
        return bool(salt) and len(digest) == _SCRYPT_BYTES

    def derive(self, secret: bytes, salt: bytes, length: int) -> bytes:
        memory = 2 * 128 * self.r * (self.n + self.p)
        return hashlib.scrypt(secret, salt=salt, n=self.n, r=self.r, p=self.p, maxmem=memory, dklen=length)


@dataclass(frozen=True, slots=True)
class Argon2:
    """Argon2 (RFC 9106), version 1.3; the memory is in KiB."""

    type: str
    memory: int
    time: int
    lanes: int

    @property
    def name(self) -> str:
        return f"argon2:{self.type}:{self.memory}:{self.time}:{self.lanes}"

    def accepts(self, salt: bytes, digest: bytes) -> bool:
        return len(salt) >= _LEAST_ARGON2_SALT and len(digest) in _ARGON2_LENGTHS

    def derive(self, secret: bytes, salt: bytes, length: int) -> bytes:
        return hash_secret_raw(secret, salt, self.time, self.memory, self.lanes, length, _ARGON2_TYPES[self.type])


def kind(algorithm: str, *parameters: Any) -> HashKind | None:
    """Return the kind with these parameters, numbers or their digits; None beyond the limits or unknown."""
    match algorithm, *parameters:
        case "bcrypt", cost if int(cost) in _BCRYPT_COSTS:
            return Bcrypt(int(cost))
        case "pbkdf2", digest, count if digest in _DIGEST_BYTES and 1 <= int(count) <= _MOST_ITERATIONS:
            return Pbkdf2(digest, int(count))
        case "scrypt", n, r, p:
            return _scrypt(int(n), int(r), int(p))
        case "argon2", type_, memory, time, lanes if type_ in _ARGON2_TYPES:
            return _argon2(type_, int(memory), int(time), int(lanes))
    return None


def _scrypt(n: int, r: int, p: int) -> Scrypt | None:
    is_power_of_two = n > 1 and n & (n - 1) == 0
    return Scrypt(n, r, p) if is_power_of_two and r > 0 and p > 0 and n * r * p <= _MOST_SCRYPT_WORK else None


def _argon2(type_: str, memory: int, time: int, lanes: int) -> Argon2 | None:
    within = 8 * lanes <= memory <= _MOST_MEMORY // 1024 and 1 <= time <= _MOST_ARGON2_TIME
    return Argon2(type_, memory, time, lanes) if within and 1 <= lanes <= _MOST_LANES else None


def from_name(name: str) -> HashKind | None:
    """Return the kind that the database stores by this name; None for one of a release with other limits."""
    algorithm, *parameters = name.split(":")
    return kind(algorithm, *parameters)
