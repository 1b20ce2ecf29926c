"""Which contacts are whose: a plain model of contacts, codes and messages, made from the decisions and not the code."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

CHANNELS = ("email", "phone")
CODE_LIFE = timedelta(minutes=10)
A_MINUTE, AN_HOUR, A_DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Messages to one contact over all accounts, and codes of one purpose to one account.
TO_A_CONTACT = ((1, A_MINUTE), (5, AN_HOUR), (10, A_DAY))
# Of these, messages about an account that has the contact without proof may use fewer.
TO_AN_UNTRUSTED_CONTACT = (1, 3, 5)
TO_AN_ACCOUNT = ((1, A_MINUTE), (10, A_DAY))
Message = tuple[str, str, str]


class Quota:
    """Limits of uses, each within a time that begins with the first use."""

    def __init__(self, *limits: tuple[int, timedelta]) -> None:
        self.limits = limits
        self.windows = [(0, datetime.min.replace(tzinfo=UTC))] * len(limits)

    def has_one_left(self, now: datetime, lower_limits: Iterable[int] = ()) -> bool:
        limits = tuple(lower_limits) or [limit for limit, _ in self.limits]
        windows = zip(limits, self.windows, strict=True)
        return all(count < limit or end <= now for limit, (count, end) in windows)

    def spend(self, now: datetime, lower_limits: Iterable[int] = ()) -> bool:
        """Count a use, and return whether there was one left."""
        if not self.has_one_left(now, lower_limits):
            return False
        windows = zip(self.limits, self.windows, strict=True)
        self.windows = [(1, now + time) if end <= now else (count + 1, end) for (_, time), (count, end) in windows]
        return True


@dataclass(frozen=True)
class SentCode:
    """A code in a message: for `reset`, or for the verification of a channel's contact."""

    text: str = field(repr=False)
    purpose: str
    channel: str
    contact: str
    era: int
    expires: datetime


@dataclass
class Contact:
    """What an account has in one channel; `proved` and `vouched` are the contact that they are said of."""

    present: str | None = None
    proved: str = ""
    vouched: str = ""
    pending: str = ""

    @property
    def state(self) -> str:
        if not self.present:
            return ""
        if self.present == self.proved:
            return "proved"
        return "vouched" if self.present == self.vouched else "unproved"

    @property
    def is_trusted(self) -> bool:
        return self.state in {"proved", "vouched"}

    @property
    def awaits_proof(self) -> str | None:
        """The contact that a verification would prove."""
        return self.pending or (self.present if self.state != "proved" else None)


@dataclass(eq=False)
class Account:
    """`era` counts the changes of the password: a session and a code are valid within theirs alone."""

    number: int
    pk: int
    password: str
    contacts: dict[str, Contact] = field(default_factory=lambda: {channel: Contact() for channel in CHANNELS})
    era: int = 0
    sessions: set[str] = field(default_factory=set, repr=False)
    codes: list[SentCode] = field(default_factory=list, repr=False)
    # The code of each purpose that is good, if it has not expired: a new one replaces it.
    newest: dict[str, SentCode] = field(default_factory=dict, repr=False)
    quotas: dict[str, Quota] = field(default_factory=lambda: defaultdict(lambda: Quota(*TO_AN_ACCOUNT)), repr=False)
    failures: dict[str, int] = field(default_factory=lambda: defaultdict(int), repr=False)

    @property
    def trusted(self) -> dict[str, str]:
        return {name: str(each.present) for name, each in self.contacts.items() if each.is_trusted}

    def may_reset_by(self, channel: str, contact: str) -> bool:
        """Return whether a reset code goes to a contact and is good for this account."""
        own = self.contacts[channel]
        return own.present == contact and (own.is_trusted or not self.trusted)

    def is_good(self, code: SentCode, now: datetime) -> bool:
        """Return whether a code still proves the contact that it was sent to."""
        if self.newest.get(code.purpose) != code or code.era != self.era or code.expires <= now:
            return False
        if code.purpose == "reset":
            return self.may_reset_by(code.channel, code.contact)
        return self.contacts[code.channel].awaits_proof == code.contact


class ModelState:
    """All accounts, and the messages that have left; messages over a contact's quota are not sent."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.messages: list[Message] = []
        self.mailboxes: dict[str, Quota] = defaultdict(lambda: Quota(*TO_A_CONTACT))

    def is_taken(self, channel: str, contact: str, by_other_than: Account | None = None) -> bool:
        """Return whether another account has a contact; one that is pending is reserved for nobody."""
        others = (account for account in self.accounts.values() if account is not by_other_than)
        return any(account.contacts[channel].present == contact for account in others)

    def send_code(self, account: Account, channel: str, contact: str, kind: str, now: datetime) -> bool:
        """Send a code to a contact that an account has or wants, and return whether it left."""
        trusted = account.trusted.get(channel) == contact
        return self._send((channel, contact, kind), now, () if trusted else TO_AN_UNTRUSTED_CONTACT)

    def _send(self, message: Message, now: datetime, lower_limits: Iterable[int] = ()) -> bool:
        if not self.mailboxes[message[1]].spend(now, lower_limits):
            return False
        self.messages.append(message)
        return True

    def notify(self, contacts: dict[str, str], kind: str, now: datetime) -> None:
        for channel, contact in contacts.items():
            self._send((channel, contact, kind), now)

    def replace(self, account: Account, channel: str, contact: str, now: datetime, *, vouched: bool) -> None:
        """Give an account another contact, which somebody vouches for or nobody."""
        own, former = account.contacts[channel], account.trusted
        if own.present == contact:
            return
        former = {channel: former[channel]} if channel in former else former
        own.present, own.pending, own.vouched = contact, "", contact if vouched else ""
        self.notify(former, f"{channel}_changed", now)

    def prove(self, account: Account, code: SentCode, now: datetime) -> None:
        """Take a verification as the proof of a contact, which becomes the present one."""
        self.replace(account, code.channel, code.contact, now, vouched=False)
        own = account.contacts[code.channel]
        own.proved, own.pending = code.contact, ""
        del account.newest[code.purpose]

    def reset(self, account: Account, code: SentCode, password: str, now: datetime) -> None:
        """Take a reset as the proof of a contact: the first one leaves the account to its prover alone."""
        own = account.contacts[code.channel]
        is_first_proof, own.proved = own.proved != code.contact, code.contact
        del account.newest[code.purpose]
        self.change_password(account, password, "password_reset", now)
        for each in account.contacts.values():
            if is_first_proof and each.present and not each.is_trusted:
                each.pending, each.present = each.present, None

    def change_password(self, account: Account, password: str, kind: str, now: datetime) -> None:
        """Give an account another password: sessions, codes and what waits for a code end with the former one."""
        account.password, account.era = password, account.era + 1
        account.sessions.clear()
        for each in account.contacts.values():
            each.pending = ""
        self.notify(account.trusted, kind, now)
