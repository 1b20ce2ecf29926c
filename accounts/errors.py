"""What can go wrong, in the core's own words: one class an outcome, none of them knows HTTP.

A contract's error table says how each is told to that contract's clients.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field: a stable code, and a sentence for people."""

    code: str
    detail: str


class IdentityError(Exception):
    """The base of every outcome that is not a success."""


class InvalidInput(IdentityError):
    """Fields that are missing, of the wrong type or out of bounds."""

    def __init__(self, errors: Mapping[str, list[Problem]]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class AlreadyTaken(InvalidInput):
    """A user name, e-mail address or phone number that another account has."""

    def __init__(self, *fields: str) -> None:
        super().__init__({field: [Problem("taken", "Another account has this already.")] for field in fields})


class NotFound(IdentityError):
    """There is no such thing, or none that the caller may know of."""


class InvalidCredentials(IdentityError):
    """No such user, or not this password; nobody learns which."""


class AccountDisabled(IdentityError):
    """The password was right, but the account is switched off."""


class ApprovalPending(IdentityError):
    """The password was right, but an administrator has yet to approve the account."""


class RetryLater(IdentityError):
    """The base of refusals that pass by themselves."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyAttempts(RetryLater):
    """Too many failures for this account or from this address."""


class TooManyRegistrations(RetryLater):
    """This address has registered as many accounts as it may for now."""


class TooManyCodes(RetryLater):
    """As many codes were sent as may be for now."""


class InvalidCode(IdentityError):
    """The code is wrong, expired, used, or was not sent there for this; nobody learns which."""


class Overloaded(RetryLater):
    """More work is waiting than can be done in time."""


class TokenMissing(IdentityError):
    """The request needs a token and has none."""


class TokenMalformed(TokenMissing):
    """Something came where the token belongs, and it is no bearer token."""


class TokenInvalid(IdentityError):
    """The token is not one of this contract's, or not whole."""


class TokenExpired(IdentityError):
    """The token was good, and its time is over."""


class SessionEnded(IdentityError):
    """The token's session is over: logged out, replaced, or ended by a change to the account."""


class UserGone(IdentityError):
    """The token's user is deleted."""


class UserInactive(UserGone):
    """The token's user is disabled, or waits for approval again."""


class TokenReused(IdentityError):
    """A refresh token was used again after its grace: somebody has a copy, so its session has ended."""


class PermissionDenied(IdentityError):
    """The caller is known and may not do this."""


class OwnAccount(PermissionDenied):
    """An actor would deactivate their own account or change its role."""


class LastAdministrator(PermissionDenied):
    """The last active administrator would be deactivated or demoted."""


class HTTPSRequired(IdentityError):
    """The request came over plain HTTP, and this deployment insists on HTTPS."""


class ScreenError(Exception):
    """The base of outcomes that only the administrators' screens can come to; no contract has words for them."""


class BadRows(ScreenError):
    """Rows of a list that cannot become accounts; `problems` has sentences for people by the number of the row."""

    def __init__(self, problems: Mapping[int, list[str]]) -> None:
        super().__init__(", ".join(map(str, problems)))
        self.problems = problems


class ChangedMeanwhile(ScreenError):
    """What was to be changed is no longer what its reader saw."""
