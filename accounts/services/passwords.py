"""What a new password must be, and how it takes the old one's place."""

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError

from accounts.errors import InvalidInput, Problem
from accounts.models import EndReason, User
from accounts.policies import LONGEST_PASSWORD, PasswordRule, profile
from accounts.security import hashing
from accounts.services import sessions
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_OWN_DATA = ("username", "full_name", "first_name", "last_name", "nickname", "email", "phone")


def problems(password: str, user: User, rule: PasswordRule) -> list[Problem]:
    """Return what is wrong with a new password for this user, or nothing. The length counts code points."""
    # The length comes first: comparing a very long text with the user's data would take very long.
    if len(password) > LONGEST_PASSWORD:
        return [Problem("password_too_long", f"A password has at most {LONGEST_PASSWORD} characters.")]
    found = []
    if len(password) < rule.shortest:
        found.append(Problem("password_too_short", f"A password has at least {rule.shortest} characters."))
    if rule.mixed and not _is_mixed(password):
        found.append(Problem("password_not_mixed", "A password has upper and lower case letters and a digit."))
    if not rule.guessable:
        found += _guessable(password, user)
    return found


def _is_mixed(password: str) -> bool:
    return all(any(test(char) for char in password) for test in (str.isupper, str.islower, str.isdigit))


def _guessable(password: str, user: User) -> list[Problem]:
    found = []
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        found.append(Problem("password_too_common", "This password is on lists of common and breached passwords."))
    try:
        UserAttributeSimilarityValidator(user_attributes=_OWN_DATA).validate(password, user)
    except ValidationError:
        found.append(Problem("password_too_similar", "This password is too much like the user's own data."))
    if settings.SERVICE_NAME.casefold() in password.casefold():
        found.append(Problem("password_too_similar", "A password does not hold the service's name."))
    return found


def replace(*, user: User, password: str, origin: Origin) -> None:
    """Give a user a new password, which ends all of their sessions.

    Whoever calls has proved the user's right to it. Raises InvalidInput and Overloaded.
    """
    if wrong := problems(password, user, profile().change):
        raise InvalidInput({"new_password": wrong})
    with hashing.slots.take():
        user.password = hashing.make(password)

    def work() -> None:
        user.save(update_fields=["password"])
        sessions.mark_ended(user, EndReason.CREDENTIAL_CHANGED)
        record(SecurityEvent.of(origin, Event.PASSWORD_CHANGED, user_id=user.pk, actor_id=user.pk))

    atomically(work)
