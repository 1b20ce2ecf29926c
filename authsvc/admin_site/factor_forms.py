"""The forms of second factors: the second step of a login, enrolment, and the own factors."""

import json
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from accounts.models.second_factor import NAME_LENGTH
from accounts.policies import FACTORS_LIMIT
from accounts.services.second_step import SubmittedAssertion, SubmittedCode
from authsvc.admin_site.forms import WRONG_PASSWORD

# Longer than a recovery code with separators; an answer of an authenticator may carry certificates.
_CODE_LENGTH: Final = 40
_CREDENTIAL_LENGTH: Final = 64 * 1024

WRONG_CODE = _("This code is wrong or has been used.")
WRONG_PASSKEY = _("The passkey or security key was not accepted. Try again.")
PROBLEMS: Final = {
    "wrong_password": WRONG_PASSWORD,
    "wrong_code": WRONG_CODE,
    "no_second_factor": _("This account has no second factor."),
    "too_many_factors": format_lazy(_("An account has at most {limit} second factors."), limit=FACTORS_LIMIT),
}


class CredentialField(forms.CharField):
    """What the script `passkeys.js` puts into a hidden field: a credential as JSON (WebAuthn Level 3, section 5.1)."""

    widget = forms.HiddenInput

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_CREDENTIAL_LENGTH, **options)

    def clean(self, value: Any) -> Mapping[str, Any] | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ValidationError(WRONG_PASSKEY, code="invalid")
        return found


class FactorForm(forms.Form):
    def add_problems(self, error: InvalidInput) -> None:
        """Report what a service refuses, at the fields that this form has."""
        for name, problems in error.errors.items():
            for problem in problems:
                self.add_error(name if name in self.fields else None, PROBLEMS[problem.code])


class CodeField(forms.CharField):
    def __init__(self, label: Any, *, required: bool = True, **attributes: Any) -> None:
        widget = forms.TextInput(
            {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", **attributes}
        )
        super().__init__(label=label, required=required, max_length=_CODE_LENGTH, widget=widget)


class PasswordField(forms.CharField):
    def __init__(self) -> None:
        widget = forms.PasswordInput({"autocomplete": "current-password"})
        super().__init__(label=_("Current password"), strip=False, widget=widget)


class SecondFactorForm(FactorForm):
    """The second step of a login: a code, or a credential."""

    code = CodeField(_("Code"), required=False, autofocus=True)
    credential = CredentialField(required=False)

    def clean(self) -> dict[str, Any]:
        if not (self.errors or self.cleaned_data.get("code") or self.cleaned_data.get("credential")):
            self.add_error("code", ValidationError(_("Enter a code."), code="required"))
        return self.cleaned_data

    def answer(self) -> SubmittedCode | SubmittedAssertion:
        """Return what a valid form has."""
        credential = self.cleaned_data["credential"]
        return SubmittedAssertion(credential) if credential else SubmittedCode(self.cleaned_data["code"])


class PasskeyForm(FactorForm):
    """A new passkey or security key, or a login by one."""

    credential = CredentialField(error_messages={"required": WRONG_PASSKEY})
    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, required=False)


class ConfirmAppForm(FactorForm):
    """The first code of a new authenticator app. The secret says that whoever sends the form has seen it."""

    factor_id = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    secret = forms.CharField(widget=forms.HiddenInput, max_length=_CODE_LENGTH)
    code = CodeField(_("Code that the app shows"), inputmode="numeric", autofocus=True)


class PasswordForm(FactorForm):
    password = PasswordField()


class PasswordAndCodeForm(FactorForm):
    password = PasswordField()
    code = CodeField(_("Code of the authenticator app, or a recovery code"))
