"""Short codes that prove control of a contact: stored hashed, slowly and with a key, and bound to their purpose."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from accounts.errors import TooManyCodes, TooManyCodesSent
from accounts.models import AttemptPurpose, Code, Purpose
from accounts.policies import (
    ACTIVATION_LIFE,
    CODE_DIGITS,
    CODE_LIFE,
    CODES_A_DAY,
    CODES_A_MINUTE,
    CODES_ADDRESS_WINDOW,
    CODES_ADMINISTRATOR_WINDOW,
    CODES_AN_ADDRESS,
    CODES_AN_ADMINISTRATOR,
)
from accounts.security import hashing
from accounts.security.budgets import Account, Budget
from accounts.security.quota import Quota


@dataclass(frozen=True, slots=True)
class Target:
    """What a code is bound to: the account, the purpose, and the contact that it is sent to.

    `genuine` is False where there is no such account, or the contact is not the account's. The same work is done, so
    that a client cannot tell the difference, and no code is accepted.
    """

    account: Account
    purpose: Purpose
    channel: str
    contact: str
    genuine: bool = True

    @property
    def holder(self) -> Account:
        """Return the account that holds the code; one that is not genuine must not replace the account's code."""
        if self.genuine:
            return self.account
        asked = f"{self.account.user_id} {self.account.name_digest} {self.channel} {self.contact}"
        return Account.unknown(asked)

    @property
    def tries(self) -> Budget:
        """Return the budget of wrong codes, which a new code does not refill."""
        return Budget(AttemptPurpose(f"code:{self.purpose}:check"), self.account)

    @property
    def life(self) -> timedelta:
        """Return how long a code or link is valid."""
        return ACTIVATION_LIFE if self.purpose is Purpose.ACTIVATION else CODE_LIFE

    def quotas(self, address: str, actor_id: int | None = None) -> Sequence[Quota]:
        """Return the limits on how often a code is sent, in the order in which rows are always written.

        What an administrator (`actor_id`) has sent to others counts against the administrator, not against the address.
        """
        a_day = AttemptPurpose(f"code:{self.purpose}:day")
        a_minute = AttemptPurpose(f"code:{self.purpose}:minute")
        return (
            _sender_quota(address, actor_id),
            Quota(a_day, CODES_A_DAY, timedelta(days=1), TooManyCodes, self.account),
            Quota(a_minute, CODES_A_MINUTE, timedelta(minutes=1), TooManyCodes, self.account),
        )

    def bound(self, code: str) -> str:
        """Return what is hashed of a code, or of the secret of a link."""
        holder = self.holder
        parts = (self.purpose, str(holder.user_id), holder.name_digest, self.channel, self.contact, code)
        return salted_hmac("accounts.codes", "\0".join(parts), algorithm="sha256").hexdigest()

    def make(self) -> tuple[str, str]:
        """Return a new code and what is stored of it. Raises Overloaded."""
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        with hashing.slots.take(account=self.holder):
            return code, hashing.make(self.bound(code))

    def store(self, encoded: str, link: str, *, stamp: str, now: datetime) -> None:
        """Store a new code and the hash of its link in place of the last ones."""
        Code.objects.update_or_create(
            account_id=self.holder.user_id,
            name_digest=self.holder.name_digest,
            purpose=self.purpose,
            defaults={"encoded": encoded, "link": link, "stamp": stamp, "expires_at": now + self.life},
        )

    def check(self, code: object, *, stamp: str, now: datetime) -> Code | None:
        """Return the stored code if it matches and is valid, else None; both cost one hash. Raises Overloaded."""
        row = Code.objects.filter(
            account_id=self.holder.user_id,
            name_digest=self.holder.name_digest,
            purpose=self.purpose,
            stamp=stamp,
            expires_at__gt=now,
        ).first()
        typed = code if isinstance(code, str) and len(code) == CODE_DIGITS and code.isascii() else ""
        with hashing.slots.take(account=self.holder):
            verdict = hashing.verify(self.bound(typed), row.encoded if row else None)
        return row if self.genuine and typed and verdict.correct else None


def _sender_quota(address: str, actor_id: int | None) -> Quota:
    if actor_id is None:
        of_address = AttemptPurpose.CODES_OF_ADDRESS
        return Quota(of_address, CODES_AN_ADDRESS, CODES_ADDRESS_WINDOW, TooManyCodes, address=address)
    of_administrator, window = AttemptPurpose.CODES_OF_ADMINISTRATOR, CODES_ADMINISTRATOR_WINDOW
    return Quota(of_administrator, CODES_AN_ADMINISTRATOR, window, TooManyCodesSent, Account(actor_id))
