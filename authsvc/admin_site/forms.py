"""The login form and the form to change the current user's password; both verify passwords by the sign-in service."""

import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordMixin
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.errors import (
    AccountDisabled,
    ApprovalPending,
    IdentityError,
    InvalidInput,
    KeysUnavailable,
    Overloaded,
    PasswordExpired,
    RetryLater,
    SecondFactorRequired,
)
from accounts.models import Session, User
from accounts.policies import active_profile
from accounts.services import admin_sessions, identifiers, passwords, sign_in
from accounts.services.factor_check import FactorStep
from audit.origin import Origin, request_origin
from authsvc.admin_site.logins import staff_only

logger = logging.getLogger(__name__)

INVALID_LOGIN = _("Please enter the correct user name and password of an administrator's account.")
WRONG_PASSWORD = _("The current password is wrong.")
# What is said of accounts that may not log in, and only after a right password.
_NOT_LET_IN: Final[Mapping[type[IdentityError], Promise]] = {
    AccountDisabled: _("This account is disabled, or today is not within its dates. Please contact an administrator."),
    ApprovalPending: _("This account awaits approval."),
}
_BUSY = _("The service is busy. Try again in a moment.")
_TOO_MANY_ATTEMPTS = _("Too many attempts. Try again in %(minutes)d min.")


def retry_message(error: RetryLater) -> str:
    """Return why the request is refused for now, and for how long."""
    if isinstance(error, Overloaded):
        return str(_BUSY)
    return str(_TOO_MANY_ATTEMPTS) % {"minutes": math.ceil(error.retry_after / timedelta(minutes=1))}


def refusal(error: IdentityError, wrong: str) -> ValidationError:
    """Return what a form says of a refused attempt: for how long, or why, or that what was entered is wrong."""
    if isinstance(error, RetryLater):
        return ValidationError(retry_message(error), code="retry_later")
    if isinstance(error, KeysUnavailable):
        logger.error("%s", error)
        return ValidationError(str(_BUSY), code="keys_unavailable")
    return ValidationError(str(_NOT_LET_IN.get(type(error), wrong)), code="invalid_login")


class LoginForm(AdminAuthenticationForm):
    """The first step: a valid form has the new `session`, or the `challenge` that asks for the second factor.

    Or it has `expired`, which asks for a new password.
    """

    session: Session | None = None
    challenge: SecondFactorRequired | None = None
    expired: PasswordExpired | None = None

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
        except PasswordExpired as expired:
            self.expired = expired
        except IdentityError as error:
            raise refusal(error, str(INVALID_LOGIN)) from error


def _new_password(label: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, widget=widget, strip=False)


class NewPasswordForm(forms.Form):
    """A new password, entered twice; the service that stores it says what is wrong with it."""

    new_password1 = _new_password(_("New password"))
    new_password2 = _new_password(_("New password confirmation"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("new_password1") != data.get("new_password2"):
            self.add_error("new_password2", SetPasswordMixin.error_messages["password_mismatch"])
        return data

    def add_problems(self, error: InvalidInput) -> None:
        """Report what is wrong with the new password."""
        for problem in error.errors["new_password"]:
            self.add_error("new_password1", ValidationError(str(problem.detail), code=problem.code))


class OwnPasswordForm(PasswordChangeForm):
    """Django's form, with the rules of the active profile and the sign-in service's limits for the old password."""

    def __init__(self, user: User, origin: Origin, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.origin = origin
        self.fields["new_password1"].help_text = passwords.ProfileRule().get_help_text()

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
            self.add_error("new_password1", ValidationError(str(problem.detail), code=problem.code))
        if "old_password" in data and data.get("new_password1") == data["old_password"]:
            unchanged = passwords.UNCHANGED
            self.add_error("new_password1", ValidationError(str(unchanged.detail), code=unchanged.code))
        return data

    def add_problems(self, error: InvalidInput) -> None:
        """Report what the service refuses only when it stores the password."""
        for problem in error.errors["new_password"]:
            self.add_error("new_password1", ValidationError(str(problem.detail), code=problem.code))

    def save(self, commit: bool = True) -> User:
        passwords.replace(
            user=self.user,
            password=self.cleaned_data["new_password1"],
            rule=active_profile().password,
            origin=self.origin,
        )
        return self.user
