"""The forms of an account."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User

STALE = _(
    "Somebody has changed this account since this page was opened. Nothing was saved: open it again and look at what is"
    " there now."
)


class NewUserForm(forms.ModelForm):
    """An account as it is made: without a password, which nobody chooses for another."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            for field in User.objects.taken(self.instance):
                self.add_error(field, ValidationError(_("Another account has this already."), code="taken"))


class UserForm(NewUserForm):
    """An account as it is changed, by somebody who saw what is there now."""

    read_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = self.instance.updated_at.isoformat() if self.instance.pk else ""
        if "read_at" in self.fields:
            self.fields["read_at"].initial = self.version

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.instance.pk and data.get("read_at") != self.version:
            raise ValidationError(STALE, code="stale")
        return data
