"""Outcomes that are not a success: one class each, independent of HTTP.

The error table of a contract maps each to a response.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field: a stable code, and a sentence, which is translated when it is read."""

    code: str
    detail: str | Promise


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
        super().__init__({field: [Problem("taken", _("Another account already has this value."))] for field in fields})


class NotFound(IdentityError):
    """The object does not exist, or the caller may not know of it."""


class InvalidCredentials(IdentityError):
    """The user is unknown or the password is wrong; the client does not learn which."""


class InvalidSecondFactor(InvalidCredentials):
    """The code or the answer of the authenticator is wrong, has served, or is for another login."""


class SecondFactorRequired(InvalidCredentials):
    """The password was right, and the account has a second factor, which is missing.

    `token` stands for the password in the next step; `methods` are the types of the factors that will do.
    """

    def __init__(self, token: str, lifetime: timedelta, methods: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.token = token
        self.lifetime = lifetime
        self.methods = methods


class SecondFactorEnrollmentRequired(SecondFactorRequired):
    """The password was right, and the account must have a second factor and has none; `token` opens the enrolment."""


class AccountDisabled(IdentityError):
    """The password was right, but the account is disabled."""


class ApprovalPending(IdentityError):
    """The password was right, but the account waits for an administrator's approval."""


class PasswordExpired(IdentityError):
    """The password, and the second factor where there is one, were right, but the password is older than it may be.

    `token` stands for both in the request that changes the password.
    """

    def __init__(self, token: str, lifetime: timedelta) -> None:
        super().__init__()
        self.token = token
        self.lifetime = lifetime


class RetryLater(IdentityError):
    """The base of refusals after which a client may retry."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyAttempts(RetryLater):
    """Too many failures for this account or from this address."""


class TooManyLogins(TooManyAttempts):
    """The account's limit of successful logins is reached."""


class TooManyChanges(RetryLater):
    """The account's limit of changes by its own user is reached."""


class TooManyRegistrations(RetryLater):
    """The registration limit of this address is reached."""


class TooManyCodes(RetryLater):
    """The limit of codes sent is reached."""


class InvalidCode(IdentityError):
    """The code is wrong, expired, used, or of another contact or purpose; the client does not learn which."""


class Overloaded(RetryLater):
    """The queue is too long to serve the request in time."""


class KeysUnavailable(IdentityError):
    """No key of a set can be read, so that no token can be signed or verified; the message says what to do."""


class TokenMissing(IdentityError):
    """The request requires a token and has none."""


class TokenMalformed(TokenMissing):
    """The Authorization header has no bearer token."""


class RefreshCookieMissing(TokenMissing):
    """The request requires the cookie with the refresh token and has none."""


class TokenInvalid(IdentityError):
    """The token is malformed, or not one of this contract."""


class TokenExpired(IdentityError):
    """The token has expired."""


class SessionEnded(IdentityError):
    """The token's session has ended: by a logout, a replacement, or a change to the account."""


class UserGone(IdentityError):
    """The token's user is deleted."""


class UserInactive(UserGone):
    """The token's user is disabled or awaits approval."""


class TokenReused(IdentityError):
    """A refresh token was used again after its grace period: there is a copy, so its session has ended."""


class PermissionDenied(IdentityError):
    """The caller is authenticated and not permitted to do this."""


class OwnAccount(PermissionDenied):
    """An actor would deactivate their own account, change its role or dates, or remove its factors without a code."""


class LastAdministrator(PermissionDenied):
    """The last active administrator would be deactivated or demoted."""


class SeparatedDuties(PermissionDenied):
    """An account would have duties that the deployment separates, such as an auditor's beside another."""


class EditConflict(IdentityError):
    """The account has been changed since it was read."""


class OriginNotAllowed(IdentityError):
    """The request uses the refresh cookie and comes from a page of another origin than those that may, or of none."""


class HTTPSRequired(IdentityError):
    """The request came over plain HTTP, and this deployment requires HTTPS."""


class ScreenError(Exception):
    """The base of outcomes that only the admin site can have; the error tables of contracts do not list them."""


class BadRows(ScreenError):
    """Rows of a list that cannot become accounts; the arguments are their numbers."""


class NoContact(ScreenError):
    """The account has no e-mail address or phone number that codes are sent to."""


class AccountExpired(ScreenError):
    """The last day of the account is over."""


class TooManyCodesSent(ScreenError):
    """The administrator's limit of codes and links sent to others is reached."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class LinkExpired(ScreenError):
    """The link was good once: its time is over."""
