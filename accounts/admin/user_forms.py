"""The forms of a user."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import User
from accounts.services import staff_names
from audit.labels import in_a_row

STALE = _(
    "This account has been changed since you opened the page, so nothing was saved. Reopen the page and check the"
    " current values."
)
# The language of messages to those for whom none is set.
THE_SERVICES_OWN = _("the service's own")
_NEW_NAME = _("%(name)s is not in use yet. Check the spelling, or tick the box below to add it.")


class _NameInput(AdminTextInputWidget):
    """A text field that offers the names in use."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = format_html_join("", '<option value="{}"></option>', ((each,) for each in self.names))
        field = super().render(name, value, {**(attrs or {}), "list": f"{name}-names"}, renderer)
        return format_html('{}<datalist id="{}-names">{}</datalist>', field, name, options)


class _ConfirmationInput(forms.TextInput):
    """A box that, ticked, sends the names that it confirms."""

    input_type = "checkbox"


class NewUserForm(forms.ModelForm):
    """The form of a new account. It has no password: only the user sets one."""

    # The new department and job title that the administrator has confirmed.
    new_names = forms.CharField(label=_("Add the new name"), widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in staff_names.FIELDS:
            if name in self.fields:
                self.fields[name].widget = _NameInput(staff_names.known(name))
        if "language" in self.fields:
            language: Any = self.fields["language"]
            language.choices = [("", THE_SERVICES_OWN), *settings.LANGUAGES]
        for name in ("valid_from", "valid_until"):
            if name in self.fields:
                # The browser's own: Django's notes how far the browser's clock is from the server's time zone.
                self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if (unknown := staff_names.unknown([data])) and "new_names" in self.fields:
            self._require_confirmation(unknown, data.get("new_names", ""))
        return data

    def _require_confirmation(self, unknown: Mapping[str, Sequence[str]], confirmed: str) -> None:
        wanted = in_a_row(name for names in unknown.values() for name in names)
        if confirmed == wanted:
            return
        for field, (name,) in unknown.items():
            self.add_error(field, ValidationError(_NEW_NAME, code="new_name", params={"name": name}))
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # A QueryDict, or a dictionary.
        data[self.add_prefix("new_names")] = wanted
        self.data = data
        self.fields["new_names"].widget = _ConfirmationInput()

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
