"""The login form and the form to change the current user's password; both verify passwords by the sign-in service."""

import math
from datetime import timedelta
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.errors import IdentityError, Overloaded, Problem, RetryLater
from accounts.models import User
from accounts.policies import LONGEST_PASSWORD, active_profile
from accounts.services import identifiers, passwords, sign_in
from accounts.services.factor_check import FactorStep
from audit.events import FailureReason
from audit.origin import Origin, request_origin

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


def _staff_only(user: User) -> FailureReason | None:
    return None if user.is_staff else FailureReason.WRONG_ROLE


def retry_message(error: RetryLater) -> str:
    """Return why the request is refused for now, and for how long."""
    if isinstance(error, Overloaded):
        return str(_BUSY)
    return str(_TOO_MANY_ATTEMPTS) % {"minutes": math.ceil(error.retry_after / timedelta(minutes=1))}


def _verify(identifier: identifiers.Identifier, password: str, origin: Origin, wrong: str) -> User:
    """Return the administrator with this identifier and password. Raises ValidationError, with `wrong` or a retry."""
    try:
        return sign_in.verify_credentials(
            identifier=identifier, password=password, origin=origin, step=FactorStep.NEVER, rule=_staff_only
        )
    except RetryLater as error:
        raise ValidationError(retry_message(error), code="retry_later") from error
    except IdentityError as error:
        raise ValidationError(wrong, code="invalid_login") from error


def _message(problem: Problem) -> str:
    """Return the problem of a new password in the active language."""
    lengths = {"shortest": active_profile().password.shortest, "longest": LONGEST_PASSWORD}
    return _PASSWORD_PROBLEMS[problem.code] % lengths


class LoginForm(AdminAuthenticationForm):
    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password and self.request:
            if len(password) > LONGEST_PASSWORD:
                raise ValidationError(INVALID_LOGIN, code="invalid_login")
            origin = request_origin(self.request)
            self.user_cache = _verify(identifiers.any_of_three(username), password, origin, wrong=str(INVALID_LOGIN))
            # Django keeps the session key of a user who logs in again; a copy of the old cookie must not stay valid.
            self.request.session.flush()
        return self.cleaned_data


class OwnPasswordForm(PasswordChangeForm):
    """Django's form, with the rules of the active profile and the sign-in service's limits for the old password."""

    def __init__(self, user: User, origin: Origin, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.origin = origin

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        _verify(identifiers.of_user(self.user), old, self.origin, wrong=str(WRONG_PASSWORD))
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
