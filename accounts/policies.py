"""Every number and every rule that somebody may want to look up, in one place."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """How one kind of token is made: the key set it is signed with, its `typ`, and how long it lives."""

    purpose: str
    algorithm: str
    typ: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """When a session ends: this long after its last renewal, and in any case this long after the login.

    `reuse_ends` says whether a spent token that comes back after its grace ends the session: somebody has a copy. Where
    the access token itself is refreshed it does not, because old clients keep a token per tab.
    """

    idle_timeout: timedelta
    absolute_timeout: timedelta
    reuse_ends: bool = True


@dataclass(frozen=True, slots=True)
class Lockout:
    """A budget of failures: so many within a window, then a lock, each further one twice as long.

    With `extends` each failure keeps the earlier ones for another window.
    """

    limit: int
    window: timedelta
    first_lock: timedelta = timedelta(minutes=15)
    longest_lock: timedelta = timedelta(hours=24)
    extends: bool = False

    def lock(self, earlier: int) -> timedelta:
        """Return how long the next lock lasts after so many earlier ones."""
        return min(self.longest_lock, self.first_lock * (1 << min(earlier, 10)))


# Failed logins: of one account from one address, of one account from all addresses unknown to it together, and from
# one address over all accounts.
ACCOUNT_ADDRESS_LIMIT: Final = Lockout(limit=5, window=timedelta(hours=24))
UNKNOWN_ADDRESSES_LIMIT: Final = Lockout(limit=20, window=timedelta(hours=24))
ADDRESS_LIMIT: Final = Lockout(limit=100, window=timedelta(minutes=15))
# An address stays known to an account for this long after a good login from it.
ADDRESS_KNOWN: Final = timedelta(days=30)
# Refusals of a locked key make one row in the trail in this time, however many there are.
REFUSAL_INTERVAL: Final = timedelta(minutes=1)

REGISTRATIONS: Final = 100
REGISTRATION_WINDOW: Final = timedelta(hours=1)

# A code that proves who reads an address or a number: six digits, and so good for a short time and few guesses.
CODE_LIFE: Final = timedelta(minutes=10)
CODE_DIGITS: Final = 6
CODE_CHECK_LIMIT: Final = Lockout(limit=5, window=timedelta(hours=24), first_lock=timedelta(hours=24), extends=True)
# So many codes an account may have sent for one purpose.
CODES_A_MINUTE: Final = 1
CODES_A_DAY: Final = 10
# So many codes one address may have sent, whoever for: a message by SMS costs money.
CODES_AN_ADDRESS: Final = 100
CODES_ADDRESS_WINDOW: Final = timedelta(hours=1)
# News of a changed password or address is worth delivering for this long.
NOTICE_LIFE: Final = timedelta(hours=24)

# An attempt in flight settles in a few seconds; one that has not after this has crashed.
RESERVATION_LIFE: Final = timedelta(seconds=60)

# What would wait longer than this for a hashing slot, or for attempts in flight to settle, is refused.
LONGEST_WAIT: Final = timedelta(seconds=2)
LONGEST_PASSWORD: Final = 128

# A spent refresh token gives its successor again for this long: two tabs, or a lost answer.
REFRESH_GRACE: Final = timedelta(seconds=10)
LAST_SEEN_STEP: Final = timedelta(minutes=5)
# Clocks of two nodes may differ by this much when they read each other's `iat` and `nbf`.
CLOCK_SKEW: Final = timedelta(seconds=60)

# A node reads its keys again after this long, and whoever reads the published ones may keep them as long.
KEYS_REREAD: Final = timedelta(seconds=30)
# A new key signs after this long: every node and every reader of the published keys knows it by then.
KEY_KNOWN_EVERYWHERE: Final = 2 * KEYS_REREAD
# A process remembers so many tokens a key set, whose signature it need not verify again.
REMEMBERED_TOKENS: Final = 8192
# An HMAC key is as long as its hash (RFC 7518, section 3.2).
HMAC_BYTES: Final = {"HS256": 32, "HS384": 48}
# The contracts whose key the environment may give, because their own downstream services have it too.
SHARED_KEYS: Final = {"hospital": "HS256", "union": "HS384", "portal": "HS256", "clinic": "HS256"}

# A gateway has this long for each step: to be connected to, and to give each answer.
GATEWAY_TIMEOUT: Final = timedelta(seconds=10)
# Longer than the some fifteen steps of a delivery together: only from a worker that has gone is a message taken away.
DELIVERY_LEASE: Final = timedelta(minutes=5)
# A message that is not delivered is tried again after this long, each time after twice as long.
FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_RETRY: Final = timedelta(minutes=2)
# With nothing to deliver, the loop looks again after this long.
DELIVERY_POLL: Final = timedelta(seconds=1)
# How often it looks for what has expired, and for what a worker that has gone was sending.
HOUSEKEEPING_INTERVAL: Final = timedelta(seconds=30)


def retry_after(attempts: int) -> timedelta:
    """Return how long a message waits for its next try after so many."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 10)))


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """What a new password must be; the length counts code points."""

    shortest: int
    mixed: bool = False
    guessable: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """What the deployment's profile decides.

    `password` is every new password's rule but for `native_change`, where document 003 asks for more.
    `addresses_at_once` says whether people change their own e-mail address and phone number without a confirmation from
    the new one, and `password_by_token` whether their token is proof enough for a new password where the document asks
    for no other. `discloses_existence` says whether a refusal may tell that there is no such account. `at_once` are the
    roles that the public may take and use, `on_approval` those that wait for an administrator.
    """

    password: PasswordRule
    native_change: PasswordRule
    addresses_at_once: bool
    password_by_token: bool
    discloses_existence: bool
    at_once: frozenset[str]
    on_approval: frozenset[str]


PROFILES: Final = {
    "documented": Profile(
        password=PasswordRule(shortest=6),
        native_change=PasswordRule(shortest=8, mixed=True),
        addresses_at_once=True,
        password_by_token=True,
        discloses_existence=True,
        at_once=frozenset(
            {"doctor", "researcher", "viewer", "patient", "pharmacy", "supplier", "logistics", "regulator", "unauth"}
        ),
        on_approval=frozenset(),
    ),
    "hardened": Profile(
        password=PasswordRule(shortest=8, guessable=False),
        native_change=PasswordRule(shortest=8, mixed=True, guessable=False),
        addresses_at_once=False,
        password_by_token=False,
        discloses_existence=False,
        at_once=frozenset({"patient", "viewer", "unauth", "pharmacy", "supplier", "logistics"}),
        on_approval=frozenset({"doctor", "researcher", "regulator"}),
    ),
}


def active_profile() -> Profile:
    """Return the deployment's profile."""
    return PROFILES[settings.PROFILE]
