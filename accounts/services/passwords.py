"""What a new password must be, and how it replaces the old one.

A change is prepared (validated and hashed) outside any transaction, and stored inside the caller's.
"""

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidCredentials, InvalidInput, NotFound, Problem, TokenInvalid
from accounts.models import EndReason, Kind, User
from accounts.policies import LONGEST_PASSWORD, PasswordRule, active_profile
from accounts.security import hashing, mfa_tokens
from accounts.security.budgets import Account
from accounts.security.quota import spend_own_change
from accounts.services import identifiers, notices, password_history, sessions, sign_in
from accounts.services.factor_check import FactorStep
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_NOTICES = {
    Event.PASSWORD_CHANGED: Kind.PASSWORD_CHANGED,
    Event.PASSWORD_RESET: Kind.PASSWORD_RESET,
    Event.PASSWORD_CREATED: Kind.PASSWORD_CREATED,
}
_OWN_DATA = ("username", "full_name", "first_name", "last_name", "nickname", "email", "phone")
UNCHANGED = Problem("password_unchanged", _("The new password must differ from the current one."))
_TOO_LONG = Problem(
    "password_too_long", format_lazy(_("A password must have at most {longest} characters."), longest=LONGEST_PASSWORD)
)
_SHORTEST = _("A password must have at least {shortest} characters.")
_NOT_MIXED = Problem("password_not_mixed", _("A password must contain upper and lower case letters and a digit."))
_COMMON = Problem("password_too_common", _("This password is on a list of common or breached passwords."))
_LIKE_USER = Problem("password_too_similar", _("This password is too similar to the user's own data."))
_LIKE_SERVICE = Problem("password_too_similar", _("A password must not contain the service's name."))
_WRONG = Problem("wrong_password", _("This is not the current password."))


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A valid new password of a user, hashed and not stored yet; the user's stamp is as it was read."""

    user: User
    encoded: str
    event: Event


def problems(password: str, user: User, rule: PasswordRule) -> list[Problem]:
    """Return what is wrong with a new password for this user, or nothing. The length counts code points."""
    # The length comes first: comparing a very long text with the user's data would take very long.
    if len(password) > LONGEST_PASSWORD:
        return [_TOO_LONG]
    found = []
    if len(password) < rule.shortest:
        found.append(Problem("password_too_short", format_lazy(_SHORTEST, shortest=rule.shortest)))
    if rule.mixed and not _is_mixed(password):
        found.append(_NOT_MIXED)
    if not rule.guessable:
        found += _guessable(password, user)
    return found


def _is_mixed(password: str) -> bool:
    return all(any(test(char) for char in password) for test in (str.isupper, str.islower, str.isdigit))


@cache
def _common_passwords() -> CommonPasswordValidator:
    """Return Django's list of 20,000 passwords; to read it takes 10 ms."""
    return CommonPasswordValidator()


def _guessable(password: str, user: User) -> list[Problem]:
    found = []
    try:
        _common_passwords().validate(password)
    except ValidationError:
        found.append(_COMMON)
    try:
        UserAttributeSimilarityValidator(user_attributes=_OWN_DATA).validate(password, user)
    except ValidationError:
        found.append(_LIKE_USER)
    if settings.SERVICE_NAME.casefold() in password.casefold():
        found.append(_LIKE_SERVICE)
    return found


def change(*, user: User, old: str, new: str, rule: PasswordRule, origin: Origin) -> None:
    """Change the user's password after verifying the old one as at a login; every session of the user ends.

    Raises InvalidInput, for a wrong old password too; TooManyAttempts, TooManyChanges and Overloaded.
    """
    require_valid(new, user, rule)
    if new == old:
        raise InvalidInput({"new_password": [UNCHANGED]})
    verify_current(user=user, password=old, origin=origin)
    spend_own_change(user.pk, timezone.now(), proved=True)
    replace(user=user, password=new, rule=rule, origin=origin)


def change_signed_out(*, identifier: identifiers.Identifier, old: str, new: str, origin: Origin) -> None:
    """Change a password without a session, after verifying the old one as at a login; every session of the user ends.

    A new password that equals the old one changes nothing. Raises NotFound for an unknown identifier where the profile
    discloses which accounts exist, InvalidInput, TooManyChanges, and what `sign_in.sign_in` raises.
    """
    try:
        user = sign_in.verify_credentials(
            identifier=identifier, password=old, origin=origin, step=FactorStep.IN_PASSWORD
        )
    except InvalidCredentials as error:
        if active_profile().discloses_existence and identifiers.user_id(identifier) is None:
            raise NotFound from error
        raise
    # Document 004 allows it: success, and nothing changes. A code may follow the old password.
    if old.startswith(new) and is_current(new, user):
        return
    spend_own_change(user.pk, timezone.now(), proved=True)
    replace(user=user, password=new, rule=active_profile().password, origin=origin)


def change_expired(*, token: str, new: str, rule: PasswordRule, origin: Origin) -> None:
    """Change a password that was too old for a login, with the token of that login; every session of the user ends.

    The token ends with the change. Raises TokenInvalid, TokenExpired, InvalidInput, TooManyChanges and Overloaded.
    """
    found = mfa_tokens.read(mfa_tokens.PASSWORD_CHANGE, token, origin.contract)
    user: User | None = User.objects.filter(pk=found.user_id).first()
    if user is None or not (found.is_of(user) and user.may_log_in()):
        raise TokenInvalid
    require_valid(new, user, rule)
    spend_own_change(user.pk, timezone.now(), proved=True)
    require_different(new, user, field="new_password")
    try:
        replace(user=user, password=new, rule=rule, origin=origin)
    except InvalidCredentials as error:
        # A parallel request has changed the account.
        raise TokenInvalid from error


def verify_current(*, user: User, password: str, origin: Origin) -> None:
    """Verify the current password of a user who is already authenticated.

    Raises InvalidInput for a wrong one, TooManyAttempts and Overloaded.
    """
    try:
        sign_in.verify_credentials(
            identifier=identifiers.of_user(user), password=password, origin=origin, step=FactorStep.NEVER
        )
    except InvalidCredentials as error:
        raise InvalidInput({"old_password": [_WRONG]}) from error


def require_different(password: str, user: User, field: str) -> None:
    """Raise InvalidInput for `field` where it is the current password, and Overloaded. Outside any transaction."""
    if is_current(password, user):
        raise InvalidInput({field: [UNCHANGED]})


def is_current(password: str, user: User) -> bool:
    """Return whether this is the user's password; no login. Outside any transaction; raises Overloaded."""
    with hashing.slots.take(account=Account(user.pk)):
        return hashing.verify(password, user.password).correct


def require_valid(password: str, user: User, rule: PasswordRule) -> None:
    """Raise InvalidInput for a new password that the rule refuses."""
    if wrong := problems(password, user, rule):
        raise InvalidInput({"new_password": wrong})


def replace(
    *, user: User, password: str, rule: PasswordRule, origin: Origin, event: Event = Event.PASSWORD_CHANGED
) -> None:
    """Give a user a new password, which ends all of their sessions; the caller has verified the user's right to it.

    Raises InvalidInput, Overloaded, and InvalidCredentials where the password has changed since the user was read.
    """
    new = prepare(user=user, password=password, rule=rule, event=event)
    atomically(lambda: record(store(new=new, origin=origin)))
    refresh_credentials(user)


def replace_by_console(*, user: User, password: str, origin: Origin) -> None:
    """Give a user a new password for the operator of the machine, under the profile's rule; all sessions end.

    Raises InvalidInput, Overloaded, and InvalidCredentials where the password has changed since the user was read.
    """
    rule = active_profile().password
    require_valid(password, user, rule)
    require_different(password, user, field="new_password")
    event = Event.PASSWORD_CHANGED if user.has_usable_password() else Event.PASSWORD_CREATED
    new = prepare(user=user, password=password, rule=rule, event=event)
    atomically(lambda: record(store(new=new, origin=origin, by_owner=False)))


def prepare(
    *,
    user: User,
    password: str,
    rule: PasswordRule,
    event: Event = Event.PASSWORD_CHANGED,
    field: str = "new_password",
) -> NewPassword:
    """Validate and hash a new password, which `field` of the request has.

    Where it may not be the current one, the caller has made sure. Outside any transaction; raises InvalidInput and
    Overloaded.
    """
    require_valid(password, user, rule)
    password_history.require_unused(password, user, field)
    with hashing.slots.take(account=Account(user.pk)):
        return NewPassword(user, hashing.make(password), event)


def store(*, new: NewPassword, origin: Origin, by_owner: bool = True) -> SecurityEvent:
    """Store a new password, notify the user and end all sessions; return the event, which the caller records last.

    `by_owner` says whether the user did it, who then is the event's actor, or the console, which is none.
    Inside the caller's transaction, before anything in it changes the user's contacts: the notice goes to those that
    the account had. Raises InvalidCredentials where the password has changed since the user was read.
    """
    user = new.user
    # Contacts that wait for their code may have been added with the former password.
    columns = {"password": new.encoded, "pending_email": "", "pending_phone": "", "updated_at": timezone.now()}
    if not User.objects.filter(pk=user.pk, stamp=user.stamp).update(**columns):
        raise InvalidCredentials
    password_history.remember(user)
    notices.notify(user=user, kind=_NOTICES[new.event], origin=origin)
    sessions.mark_ended(user, EndReason.CREDENTIAL_CHANGED)
    return SecurityEvent.of(origin, new.event, user_id=user.pk, actor_id=user.pk if by_owner else None)


def refresh_credentials(user: User) -> None:
    """Read the password and the stamp again, after the transaction that changed them."""
    user.refresh_from_db(fields=["password", "stamp"])


class ProfileRule:
    """The profile's rule as a validator, for Django's `createsuperuser`."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for what a new password must not be."""
        if wrong := problems(password, user or User(), active_profile().password):
            raise ValidationError([ValidationError(str(problem.detail), code=problem.code) for problem in wrong])

    def get_help_text(self) -> str:
        return str(format_lazy(_SHORTEST, shortest=active_profile().password.shortest))
