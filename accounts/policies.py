"""All limits, lifetimes and rules."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """How one kind of token is made: the key set that signs it, its algorithm, `typ` and lifetime."""

    purpose: str
    algorithm: str
    typ: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """When a session ends: this long after its last renewal, and in any case this long after the login.

    `reuse_ends` says whether the reuse of a spent token after its grace period ends the session, because there is a
    copy. Where the access token itself is refreshed it does not, because old clients keep a token per tab.
    """

    idle_timeout: timedelta
    absolute_timeout: timedelta
    reuse_ends: bool = True


# Of the admin site; NIST SP 800-63B-4 asks for at most an hour and a day at its second assurance level.
ADMIN_SESSION: Final = SessionPolicy(idle_timeout=timedelta(minutes=30), absolute_timeout=timedelta(hours=12))
# A request moves the end of such a session at most once within this time.
ADMIN_SESSION_STEP: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lockout:
    """A limit of failures within a window; then a lock, each further one twice as long.

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
# Accounts that are known at an address and that it locks, each within the window of the one before; at the limit the
# address is suspicious for an hour.
SUSPICION_LIMIT: Final = Lockout(
    limit=5,
    window=timedelta(minutes=15),
    first_lock=timedelta(hours=1),
    longest_lock=timedelta(hours=1),
    extends=True,
)
# Failed logins of one account from a suspicious address that is known to it.
SUSPECTED_ADDRESS_LIMIT: Final = Lockout(limit=20, window=timedelta(hours=24))
# Passwords evaluated from a suspicious address, over all accounts.
SUSPECTED_RATE: Final = 2
SUSPECTED_RATE_WINDOW: Final = timedelta(seconds=1)
# The share of one account in them.
SUSPECTED_SHARE: Final = 5
SUSPECTED_SHARE_WINDOW: Final = timedelta(minutes=1)
# Failed logins of one account since its last successful one, from all addresses and without a time limit (NIST SP
# 800-63B-4, section 3.2.2). Such a lock ends by a successful login from a known address, a reset or an unlock alone.
FOREVER: Final = timedelta(days=100 * 365)
SLOW_GUESSING_LIMIT: Final = Lockout(limit=100, window=FOREVER, first_lock=FOREVER, longest_lock=FOREVER)
# The same for a name that no account has: nobody logs in with it, so its row would never go.
UNKNOWN_NAME: Final = timedelta(days=30)
UNKNOWN_NAME_LIMIT: Final = Lockout(
    limit=100, window=UNKNOWN_NAME, first_lock=UNKNOWN_NAME, longest_lock=UNKNOWN_NAME, extends=True
)
# The longest Retry-After of a lock.
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
# Successful logins of one account, over all addresses and contracts: at most `limit` within `window`.
LOGINS_LIMIT: Final = Lockout(limit=120, window=timedelta(minutes=10))
# Active sessions of one account in one contract; a login beyond them ends the one unseen longest.
SESSIONS_LIMIT: Final = 100
# A login counts the sessions exactly from this number on: a margin for logins that run at the same time.
SESSIONS_COUNTED_FROM: Final = 50
# Changes that a user makes to the own account. Those with the current password have a quota of their own, so that a
# stolen token cannot use up what the owner needs to change the password.
OWN_CHANGES: Final = 60
OWN_CHANGES_WINDOW: Final = timedelta(hours=1)
# An address is known to an account for this time after a successful login from it.
ADDRESS_KNOWN: Final = timedelta(days=30)
# Refusals while locked make one row in the trail within this time.
REFUSAL_INTERVAL: Final = timedelta(minutes=1)

REGISTRATIONS: Final = 100
REGISTRATION_WINDOW: Final = timedelta(hours=1)
# Responses to one account within the window that another account has a contact; up to here the limit of the address
# does not bind it, so that others there cannot keep it from changing its contacts.
DISCLOSURES_AN_ACCOUNT: Final = 3

# Lists of people that one administrator reads through the API make one event within this time.
LISTING_INTERVAL: Final = timedelta(hours=1)

# Codes that prove control of a contact: six digits, so their lifetime and tries are few.
CODE_LIFE: Final = timedelta(minutes=10)
CODE_DIGITS: Final = 6
CODE_CHECK_LIMIT: Final = Lockout(limit=5, window=timedelta(hours=24), first_lock=timedelta(hours=24), extends=True)
# Codes sent to one account for one purpose.
CODES_A_MINUTE: Final = 1
CODES_A_DAY: Final = 10
# Codes sent on requests from one address, over all accounts: text messages cost money.
CODES_AN_ADDRESS: Final = 100
CODES_ADDRESS_WINDOW: Final = timedelta(hours=1)
# Messages to one contact, codes and notices together, over all accounts.
MESSAGES_A_MINUTE: Final = 1
MESSAGES_AN_HOUR: Final = 5
MESSAGES_A_DAY: Final = 10
# Of these, the last ones are for accounts that have proved the contact or for which it is vouched: requests of others
# cannot use them up.
MESSAGES_KEPT_AN_HOUR: Final = 2
MESSAGES_KEPT_A_DAY: Final = 5
# Lifetime of a notice of a changed password or contact; it is not delivered later.
NOTICE_LIFE: Final = timedelta(hours=24)

# Lifetime of the token of a login that waits for its second factor or for the enrolment of one, and of a WebAuthn
# challenge.
MFA_TOKEN_LIFE: Final = timedelta(minutes=5)
# Second factors of one account.
FACTORS_LIMIT: Final = 10
# RFC 6238, section 5.2: the step, and the steps before and after the present one that are accepted.
TOTP_STEP: Final = timedelta(seconds=30)
TOTP_DRIFT: Final = 1
TOTP_DIGITS: Final = 6
RECOVERY_CODES: Final = 10
# How long an authenticator app that nobody has confirmed is kept.
UNCONFIRMED_FACTOR_KEPT: Final = timedelta(days=1)

# An attempt in flight settles in seconds; one that has not settled after this has crashed.
RESERVATION_LIFE: Final = timedelta(seconds=60)

# The longest wait for a hashing slot, or for attempts in flight to settle.
LONGEST_WAIT: Final = timedelta(seconds=2)
# Places of one account in a process's queue for hashing slots.
HASHING_PLACES: Final = 8
# A refusal of one of several parallel attempts at an identifier waits this long, in at most so many threads of a
# process: two thirds of those that docs/production.md gives it.
REFUSAL_PAUSE: Final = timedelta(milliseconds=500)
REFUSAL_PAUSES: Final = 16
LONGEST_PASSWORD: Final = 128
# Kinds of hashes of former systems that a refused password costs, each once: those of most accounts.
MOST_FORMER_KINDS: Final = 4
# In bytes, of the data that a client program stores with its user; a list has up to 100 of them.
LONGEST_PROFILE: Final = 8 * 1024

# A spent refresh token gives its successor again for this long: two tabs, or a lost answer.
REFRESH_GRACE: Final = timedelta(seconds=10)
LAST_SEEN_STEP: Final = timedelta(minutes=5)
# A session has at most one event of each of these kinds within this time: moved, and a spent token used again.
SESSION_EVENT_INTERVAL: Final = timedelta(minutes=1)
# Clocks of two nodes may differ by this much when they read each other's `iat` and `nbf`.
CLOCK_SKEW: Final = timedelta(seconds=60)

# How long rows are kept that have no effect any more; `manage.py purge` removes them then. A session is kept from its
# end, a message and a code from their expiry, a budget of attempts from its last use.
SESSION_KEPT: Final = timedelta(days=90)
MESSAGE_KEPT: Final = timedelta(days=1)
CODE_KEPT: Final = timedelta(days=1)
BUDGET_KEPT: Final = timedelta(hours=48)

# A node reads its keys again after this time; readers of the published keys may cache them as long.
KEYS_REREAD: Final = timedelta(seconds=30)
# A new key signs after this time: every node and every reader of the published keys has read it by then.
KEY_KNOWN_EVERYWHERE: Final = 2 * KEYS_REREAD
# Verified tokens that a process remembers for each key set.
REMEMBERED_TOKENS: Final = 8192
# An HMAC key is as long as its hash (RFC 7518, section 3.2).
HMAC_BYTES: Final = {"HS256": 32, "HS384": 48}
# Contracts whose key the environment may set, because their downstream services share it.
SHARED_KEYS: Final = {"hospital": "HS256", "union": "HS384", "portal": "HS256", "clinic": "HS256"}

# Time limit for each step of a delivery: the connection, and each response.
GATEWAY_TIMEOUT: Final = timedelta(seconds=10)
# Longer than the about fifteen steps of a delivery together, so that only a crashed worker loses its message.
DELIVERY_LEASE: Final = timedelta(minutes=5)
# The first retry of a delivery; each further one waits twice as long.
FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_RETRY: Final = timedelta(minutes=2)
# The delivery loop's interval where nothing is due.
DELIVERY_POLL: Final = timedelta(seconds=1)
# The interval of the search for expired messages and for those of crashed workers.
HOUSEKEEPING_INTERVAL: Final = timedelta(seconds=30)
# A worker that was not seen for this time does not run; one delivery may take two and a half minutes.
DELIVERY_SILENCE: Final = timedelta(minutes=4)


def retry_after(attempts: int) -> timedelta:
    """Return the time until the next attempt after this many."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 10)))


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """The rule of new passwords; the length counts code points."""

    shortest: int
    mixed: bool = False
    guessable: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """What the deployment's profile decides.

    `password` is the rule of new passwords, except `native_change`, where document 003 requires more.
    `addresses_at_once` says whether users change their e-mail address and phone number without a confirmation from the
    new one, and `password_by_token` whether their token suffices for a new password where the document requires no
    other proof. `discloses_existence` says whether a refusal may disclose that an account does not exist. `at_once` are
    the roles that the public may register for, `on_approval` those that wait for an administrator's approval.
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
