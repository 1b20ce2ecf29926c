"""Stored password hashes: the formats of Django, of werkzeug, of bcrypt and of Argon2, as old systems have them."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from accounts.security.hash_kinds import HashKind, kind

# Enough for every salt that a library makes, and too little to cost anything.
_SALT: Final = r"(?P<salt>[^$]{1,128})"
_BCRYPT: Final = r"\$2[aby]\$(?P<cost>\d\d)\$(?P<salt>[./A-Za-z0-9]{22})(?P<digest>[./A-Za-z0-9]{31})"
_HEX: Final = r"(?P<digest>(?:[0-9a-f]{2}){16,64})"
_BASE64: Final = r"(?P<digest>[A-Za-z0-9+/]{22,88}={0,2})"


@dataclass(frozen=True, slots=True)
class StoredHash:
    """A hash that can be verified. `is_prehashed` says that the password is hashed by SHA-256 first."""

    kind: HashKind
    salt: bytes
    digest: bytes
    is_prehashed: bool = False

    def matches(self, password: str) -> bool:
        secret = password.encode()
        if self.is_prehashed:
            secret = hashlib.sha256(secret).hexdigest().encode()
        return compare_digest(self.kind.derive(secret, self.salt, len(self.digest)), self.digest)


def _argon2_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


@dataclass(frozen=True, slots=True)
class _Format:
    """A format: its pattern, the names of the groups that are the costs, and the codings of digest and salt."""

    pattern: re.Pattern[str]
    algorithm: str
    costs: tuple[str, ...]
    decode_digest: Callable[[str], bytes]
    decode_salt: Callable[[str], bytes] = str.encode


def _format(pattern: str, algorithm: str, costs: str, *coding: Callable[[str], bytes]) -> _Format:
    return _Format(re.compile(pattern, re.ASCII), algorithm, tuple(costs.split()), *coding)


_FORMATS: Final = (
    _format(rf"(?:bcrypt(?P<prehashed>_sha256)?\$)?{_BCRYPT}", "bcrypt", "cost", str.encode),
    _format(
        r"(?:argon2)?\$argon2(?P<type>id|i|d)\$v=19\$m=(?P<m>\d{1,7}),t=(?P<t>\d{1,2}),p=(?P<p>\d{1,2})"
        r"\$(?P<salt>[+/A-Za-z0-9]{1,128})\$(?P<digest>[+/A-Za-z0-9]{1,172})",
        "argon2",
        "type m t p",
        _argon2_base64,
        _argon2_base64,
    ),
    # werkzeug's; the salt is text.
    _format(
        rf"pbkdf2:(?P<hash>sha1|sha256|sha512):(?P<count>\d{{1,7}})\${_SALT}\${_HEX}",
        "pbkdf2",
        "hash count",
        bytes.fromhex,
    ),
    _format(
        rf"scrypt:(?P<n>\d{{1,7}}):(?P<r>\d{{1,3}}):(?P<p>\d{{1,3}})\${_SALT}\${_HEX}", "scrypt", "n r p", bytes.fromhex
    ),
    # Django's.
    _format(
        rf"pbkdf2_(?P<hash>sha1|sha256)\$(?P<count>\d{{1,7}})\${_SALT}\${_BASE64}",
        "pbkdf2",
        "hash count",
        base64.b64decode,
    ),
    _format(
        rf"scrypt\$(?P<n>\d{{1,7}})\${_SALT}\$(?P<r>\d{{1,3}})\$(?P<p>\d{{1,3}})\${_BASE64}",
        "scrypt",
        "n r p",
        base64.b64decode,
    ),
)


def parse(stored: str) -> StoredHash | None:
    """Return the hash as what can be verified; None for an unusable or malformed one, or one beyond the limits."""
    for each in _FORMATS:
        if match := each.pattern.fullmatch(stored):
            return _from_match(each, match)
    return None


def _from_match(found: _Format, match: re.Match[str]) -> StoredHash | None:
    hash_kind = kind(found.algorithm, *(match[name] for name in found.costs))
    try:
        salt, digest = found.decode_salt(match["salt"]), found.decode_digest(match["digest"])
    except (binascii.Error, UnicodeEncodeError):
        return None
    if hash_kind is None or not hash_kind.accepts(salt, digest):
        return None
    return StoredHash(hash_kind, salt, digest, is_prehashed=bool(match.groupdict().get("prehashed")))
