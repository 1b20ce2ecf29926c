"""What the ModelAdmins share."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User
from audit.admin.changelist import SafeLookupAdmin

SECRET_COLUMNS = frozenset({"password", "stamp", "encrypted"})
_PHONE = re.compile(r"\+?[0-9 ()-]{3,}")


def actor_of(request: HttpRequest) -> User:
    """Return the logged-in user of a request. Raises PermissionDenied where there is none."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def canonical_term(term: str) -> str:
    """Return a search term in the form of the canonical columns."""
    return unicodedata.normalize("NFKC", term).casefold().strip()


def phone_digits(term: str) -> str:
    """Return the digits of a search term that is a phone number or a part of one, else an empty string."""
    text = canonical_term(term)
    return re.sub(r"[^0-9]", "", text) if _PHONE.fullmatch(text) else ""


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
