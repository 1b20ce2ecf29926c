"""What the ModelAdmins share."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import Session, User
from audit.admin.changelist import SafeLookupAdmin
from audit.user_agents import device

SECRET_COLUMNS = frozenset({"password", "stamp", "encrypted"})


def actor_of(request: HttpRequest) -> User:
    """Return the logged-in user of a request. Raises PermissionDenied where there is none."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def address_cell(session: Session) -> SafeString | str:
    """Return the address of a session, marked where the login was the first from there."""
    if not session.from_new_address:
        return session.ip or "-"
    return format_html('{} <span class="mark">{}</span>', session.ip or "-", _("new address"))


def device_cell(session: Session) -> SafeString | str:
    """Return the device of a session, marked where the login was the first with it."""
    name = device(session.user_agent) or "-"
    return format_html('{} <span class="mark">{}</span>', name, _("new device")) if session.from_new_device else name


class HideSecretLookupsAdmin(SafeLookupAdmin):
    """A list without filters by secret columns: a filter reveals a column's value character by character."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return not SECRET_COLUMNS & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)


class ReadOnlyAdmin(HideSecretLookupsAdmin):
    """A list of rows that only the service writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
