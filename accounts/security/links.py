"""Secrets of links by which a user chooses a password: random, and stored as a keyed hash only.

A link is bound to what its code is bound to, and to the code's own hash: a newer code or link voids it. Its secret
cannot be guessed, so unlike a code it is not hashed slowly.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Code, Purpose
from accounts.security.codes import Target

_SECRET_BYTES: Final = 32
_TOKEN = re.compile(r"(reset|activation)\.(\d{1,18})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class LinkToken:
    """What a link carries: its purpose, the account's id, and the secret."""

    purpose: Purpose
    account_id: int
    secret: str

    def __str__(self) -> str:
        return f"{self.purpose}.{self.account_id}.{self.secret}"


def new(target: Target) -> LinkToken:
    """Return the token of a new link, of which `digest` is what is stored."""
    return LinkToken(target.purpose, target.account.user_id, secrets.token_hex(_SECRET_BYTES))


def read(token: str) -> LinkToken | None:
    """Return a token that a link may carry, or None."""
    found = _TOKEN.fullmatch(token)
    return LinkToken(Purpose(found[1]), int(found[2]), found[3]) if found else None


def digest(target: Target, encoded: str, secret: str) -> str:
    """Return what is stored of a link beside the hash of its code, which is blank where there is no code."""
    bound = "\0".join((target.bound(secret), encoded))
    return salted_hmac("accounts.links", bound, algorithm="sha256").hexdigest()


def fits(row: Code, target: Target, secret: str) -> bool:
    """Return whether this is the secret of a row's link, and the link was sent to this contact."""
    return bool(row.link) and constant_time_compare(row.link, digest(target, row.encoded, secret))
