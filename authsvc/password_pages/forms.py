"""The forms of the pages on which a user chooses a password."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.errors import InvalidInput
from accounts.models import Channel, User
from accounts.policies import CODE_DIGITS, LONGEST_PASSWORD
from accounts.services import contacts, passwords, recovery

# Spaces that a user types with a code are ignored.
_LONGEST_CODE: Final = 20
_TOKEN_LENGTH: Final = 200
_NO_CONTACT: Final = _(
    "This is neither an e-mail address nor a phone number. Enter one that your account has: a user name does not say"
    " where to send the code."
)


def password_rule() -> list[str]:
    """Return what a new password must be, as sentences."""
    rule = recovery.password_rule()
    sentences = [_("At least %(shortest)d characters.") % {"shortest": rule.shortest}]
    if rule.mixed:
        sentences.append(str(_("Upper and lower case letters, and a digit.")))
    if not rule.guessable:
        sentences.append(str(_("No common password, and nothing of your name, your contacts or the service's name.")))
    return [str(sentence) for sentence in sentences]


class ContactForm(forms.Form):
    """The contact that a code is sent to, which also names the account."""

    identifier = forms.CharField(
        label=_("E-mail address or mobile number"),
        max_length=names.EMAIL_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_identifier(self) -> str:
        typed = str(self.cleaned_data["identifier"])
        try:
            contacts.canonical(self.channel_of(typed), typed)
        except names.InvalidIdentifier as error:
            raise ValidationError(str(_NO_CONTACT), code="invalid") from error
        return typed

    @staticmethod
    def channel_of(contact: str) -> Channel:
        return Channel.EMAIL if "@" in contact else Channel.PHONE


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    new_password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "aria-describedby": "password-rule"}),
    )
    repeated = forms.CharField(
        label=_("New password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        new = str(data.get("new_password", ""))
        if not new:
            return data
        if len(new) <= LONGEST_PASSWORD and "repeated" in data and data["repeated"] != new:
            self.add_error("repeated", ValidationError(_("The two passwords differ."), code="mismatch"))
        rule = recovery.password_rule()
        for problem in passwords.problems(new, User(), rule):
            self.add_error("new_password", ValidationError(str(problem.detail), code=problem.code))
        return data

    def add_problems(self, error: InvalidInput) -> None:
        """Show what is wrong with the password for this account."""
        for problems in error.errors.values():
            for problem in problems:
                self.add_error("new_password", ValidationError(str(problem.detail), code=problem.code))


class CodeForm(NewPasswordForm, ContactForm):
    """A code, and the contact that it was sent to."""

    code = forms.CharField(
        label=_("Code from the message"),
        max_length=_LONGEST_CODE,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text=_("%(digits)d digits.") % {"digits": CODE_DIGITS},
    )
    field_order = ("identifier", "code", "new_password", "repeated")

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())


class LinkForm(NewPasswordForm):
    """The secret of a link, which the page's script takes from the address."""

    token = forms.CharField(max_length=_TOKEN_LENGTH)
