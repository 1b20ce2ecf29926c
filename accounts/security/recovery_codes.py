"""Recovery codes: ten for an account, each serves once in place of a lost second factor.

A code is twelve characters in three groups: its number, then 55 random bits. It is stored under a slow hash (ASVS 5.0,
6.5.2), and its number says which hash to compare.
"""

import re
import secrets
from typing import Final

from accounts.models import RecoveryCode, User
from accounts.policies import RECOVERY_CODES
from accounts.security import hashing
from accounts.security.budgets import Account

# Crockford's base32: no letter that reads as a digit or as another letter.
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_SECRET_LENGTH: Final = 11
_CODE: Final = re.compile(rf"[0-9][{_ALPHABET}]{{{_SECRET_LENGTH}}}")
_AS_READ: Final = str.maketrans("oil", "011", "- ")


def make(user: User) -> tuple[list[str], list[RecoveryCode]]:
    """Return new codes, and the rows to be stored. Outside any transaction; raises Overloaded."""
    codes = [
        f"{number}{''.join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))}"
        for number in range(RECOVERY_CODES)
    ]
    with hashing.slots.take(account=Account(user.pk)):
        rows = [RecoveryCode(user=user, number=int(code[0]), encoded=hashing.make(code)) for code in codes]
    return ["-".join((code[:4], code[4:8], code[8:])) for code in codes], rows


def normalized(text: str) -> str | None:
    """Return a code as it is hashed, whatever its case and separators, or None for what is none."""
    typed = text.lower().translate(_AS_READ)
    return typed if _CODE.fullmatch(typed) else None


def matching(user: User, code: str) -> RecoveryCode | None:
    """Return the unused code that this is, or None; either costs one hash. Raises Overloaded."""
    row = RecoveryCode.objects.filter(user=user, number=int(code[0])).first()
    with hashing.slots.take(account=Account(user.pk)):
        verdict = hashing.verify(code, row.encoded if row else None)
    return row if verdict.correct else None
