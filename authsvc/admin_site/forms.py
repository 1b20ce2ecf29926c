"""The login form and the form to change the current user's password; both verify passwords by the sign-in service."""

import logging
import math
from datetime import timedelta
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.errors import IdentityError, KeysUnavailable, Overloaded, Problem, RetryLater, SecondFactorRequired
from accounts.models import Session, User
from accounts.policies import LONGEST_PASSWORD, active_profile
from accounts.services import admin_sessions, identifiers, passwords, sign_in
from accounts.services.factor_check import FactorStep
from audit.origin import Origin, request_origin
from authsvc.admin_site.logins import staff_only

logger = logging.getLogger(__name__)

INVALID_LOGIN = _("Please enter the correct user name and password of an administrator's account.")
WRONG_PASSWORD = _("The current password is wrong.")
_BUSY = _("The service is busy. Try again in a moment.")
_TOO_MANY_ATTEMPTS = _("Too many attempts. Try again in %(minutes)d min.")

_PASSWORD_PROBLEMS = {
    "password_too_long": _("A password must have at most %(longest)d characters."),
    "password_too_short": _("A password must have at least %(shortest)d characters."),
    "password_not_mixed": _("A password must contain upper and lower case letters and a digit."),
    "password_too_common": _("This password is on a list of common or breached passwords."),
    "password_too_similar": _("This password is too similar to your own data or to the service's name."),
}


def retry_message(error: RetryLater) -> str:
    """Return why the request is refused for now, and for how long."""
    if isinstance(error, Overloaded):
        return str(_BUSY)
    return str(_TOO_MANY_ATTEMPTS) % {"minutes": math.ceil(error.retry_after / timedelta(minutes=1))}


def refusal(error: IdentityError, wrong: str) -> ValidationError:
    """Return what a form says of a refused attempt: for how long, or that what was entered is wrong."""
    if isinstance(error, RetryLater):
        return ValidationError(retry_message(error), code="retry_later")
    if isinstance(error, KeysUnavailable):
        logger.error("%s", error)
        return ValidationError(str(_BUSY), code="keys_unavailable")
    return ValidationError(wrong, code="invalid_login")


def _message(problem: Problem) -> str:
    """Return the problem of a new password in the active language."""
    lengths = {"shortest": active_profile().password.shortest, "longest": LONGEST_PASSWORD}
    return _PASSWORD_PROBLEMS[problem.code] % lengths


class LoginForm(AdminAuthenticationForm):
    """The first step: a valid form has the new `session`, or the `challenge` that asks for the second factor."""

    session: Session | None = None
    challenge: SecondFactorRequired | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name, phone number or e-mail address")

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password and self.request:
            self._log_in(identifiers.any_of_three(username), password, request_origin(self.request))
        return self.cleaned_data

    def _log_in(self, identifier: identifiers.Identifier, password: str, origin: Origin) -> None:
        try:
            self.session = sign_in.sign_in(
                identifier=identifier,
                password=password,
                issuer=admin_sessions.LOGIN,
                origin=origin,
                step=FactorStep.SEPARATE,
                rule=staff_only,
            )
        except SecondFactorRequired as challenge:
            self.challenge = challenge
        except IdentityError as error:
            raise refusal(error, str(INVALID_LOGIN)) from error


class OwnPasswordForm(PasswordChangeForm):
    """Django's form, with the rules of the active profile and the sign-in service's limits for the old password."""

    def __init__(self, user: User, origin: Origin, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.origin = origin
        lengths = {"shortest": active_profile().password.shortest}
        self.fields["new_password1"].help_text = str(_PASSWORD_PROBLEMS["password_too_short"]) % lengths

    def validate_password_for_user(self, user: Any, password_field_name: str = "password2") -> None:  # noqa: S107 A name.
        """Leave it to `clean`, which says what is wrong in the reader's language."""

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        try:
            passwords.verify_current(user=self.user, password=old, origin=self.origin)
        except IdentityError as error:
            raise refusal(error, str(WRONG_PASSWORD)) from error
        return old

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for problem in passwords.problems(str(data.get("new_password1", "")), self.user, active_profile().password):
            self.add_error("new_password1", ValidationError(_message(problem), code=problem.code))
        return data

    def save(self, commit: bool = True) -> User:
        passwords.replace(
            user=self.user,
            password=self.cleaned_data["new_password1"],
            rule=active_profile().password,
            origin=self.origin,
        )
        return self.user
