"""When a token is valid: a plain model of users, logins and tokens, made from the decisions and not from the code."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

GRACE = timedelta(seconds=10)


@dataclass(frozen=True)
class Terms:
    """The lifetime of a contract's access token, and its session's idle and absolute timeouts."""

    token: timedelta
    idle_timeout: timedelta
    absolute_timeout: timedelta


TERMS = {
    "native": Terms(timedelta(minutes=15), timedelta(days=14), timedelta(days=30)),
    "hospital": Terms(timedelta(hours=24), timedelta(hours=24), timedelta(hours=24)),
    "union": Terms(timedelta(hours=24), timedelta(days=7), timedelta(days=7)),
    "portal": Terms(timedelta(hours=2), timedelta(days=7), timedelta(days=7)),
    "clinic": Terms(timedelta(hours=3), timedelta(days=7), timedelta(days=7)),
}
# The contracts whose access token is itself what is refreshed.
SINGLE_USE = ("portal", "clinic")


class Worth(Enum):
    """How a contract answers a request with a token."""

    VALID = auto()
    INVALID = auto()
    # Its user is deleted.
    DELETED = auto()


class Spent(Enum):
    """The outcome of a refresh: the next token, the same successor again, the session's end, or a refusal."""

    NEXT = auto()
    AGAIN = auto()
    REUSED = auto()
    REFUSED = auto()


@dataclass(eq=False)
class Person:
    number: int
    pk: int
    role: str
    password: str
    has_email: bool
    has_phone: bool
    active: bool = True
    deleted: bool = False
    logins: list["Login"] = field(default_factory=list, repr=False)

    def end_logins(self) -> None:
        """End all logins; none of them becomes active again, whatever is changed later."""
        for login in self.logins:
            login.ended = True


@dataclass(eq=False)
class Login:
    person: Person
    contract: str
    latest_end: datetime
    end: datetime
    rotated_at: datetime
    generation: int = 0
    ended: bool = False
    newest: str = field(default="", repr=False)

    def is_active(self, now: datetime) -> bool:
        return self.person.active and not self.person.deleted and not self.ended and now < self.end


@dataclass(eq=False)
class Token:
    """`generation` is None for a token that does not refresh; a refresh token of its own is no access token."""

    text: str = field(repr=False)
    login: Login
    expires: datetime
    generation: int | None = None
    is_access_token: bool = True

    @property
    def refreshes(self) -> bool:
        return self.generation is not None

    def is_newest(self) -> bool:
        """Return whether it is the token of its login that has not been refreshed yet."""
        return self.generation == self.login.generation

    def worth(self, now: datetime) -> Worth:
        """Return how its contract answers a request with it."""
        if not self.is_access_token or self.expires <= now:
            return Worth.INVALID
        if self.login.person.deleted:
            return Worth.DELETED
        return Worth.VALID if self.login.is_active(now) and self._in_turn(now) else Worth.INVALID

    def _in_turn(self, now: datetime) -> bool:
        return self.generation in {None, self.login.generation} or self._in_grace(now)

    def _in_grace(self, now: datetime) -> bool:
        return self.generation == self.login.generation - 1 and now - self.login.rotated_at <= GRACE

    def spent(self, now: datetime) -> Spent:
        """Return the outcome of a refresh with it."""
        if self.expires <= now or not self.login.is_active(now):
            return Spent.REFUSED
        if self.generation == self.login.generation:
            return Spent.NEXT
        if self._in_grace(now):
            return Spent.AGAIN
        return Spent.REUSED if self.login.contract == "native" else Spent.REFUSED

    def spend(self, now: datetime) -> Spent:
        """Refresh with it, and return the outcome."""
        outcome, login = self.spent(now), self.login
        if outcome is Spent.NEXT:
            login.generation += 1
            login.rotated_at = now
            login.end = min(login.latest_end, now + TERMS[login.contract].idle_timeout)
        elif outcome is Spent.REUSED:
            login.ended = True
        return outcome

    def renewed_until(self, now: datetime) -> datetime | None:
        """Return when the union's renewed token expires, or None before half of this one's lifetime."""
        life = TERMS["union"].token
        longer = min(now + life, self.login.end)
        due = self.login.contract == "union" and self.expires - now <= life / 2 and longer > self.expires
        return longer if due and self.worth(now) is Worth.VALID else None


def open_login(person: Person, contract: str, now: datetime) -> Login:
    """Return the login that follows from a right password."""
    terms = TERMS[contract]
    latest = now + terms.absolute_timeout
    login = Login(person, contract, latest_end=latest, end=min(latest, now + terms.idle_timeout), rotated_at=now)
    person.logins.append(login)
    return login


def issued(login: Login, access: str, refresh: str | None, now: datetime) -> list[Token]:
    """Return the tokens that a contract gives for a login as it is now."""
    terms = TERMS[login.contract]
    if refresh is not None:
        login.newest = refresh
        return [
            Token(access, login, expires=now + terms.token),
            Token(refresh, login, expires=login.end, generation=login.generation, is_access_token=False),
        ]
    login.newest = access
    once = login.generation if login.contract in SINGLE_USE else None
    return [Token(access, login, expires=min(login.rotated_at + terms.token, login.end), generation=once)]
