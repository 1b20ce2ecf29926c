"""The forms of a user."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import User

STALE = _(
    "This account has been changed since you opened the page, so nothing was saved. Reopen the page and check the"
    " current values."
)


class NewUserForm(forms.ModelForm):
    """The form of a new account. It has no password: only the user sets one."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            for field in User.objects.taken(self.instance):
                self.add_error(field, ValidationError(_("Another account already has this value."), code="taken"))


class UserForm(NewUserForm):
    """The form of an existing account. It refuses changes based on outdated values."""

    read_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.phone:
            self.initial["phone"] = names.display_phone(self.instance.phone)
        self.version = self.instance.updated_at.isoformat() if self.instance.pk else ""
        if "read_at" in self.fields:
            self.fields["read_at"].initial = self.version

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.instance.pk and data.get("read_at") != self.version:
            raise ValidationError(STALE, code="stale")
        return data
