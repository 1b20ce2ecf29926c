"""What the screens have in common."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User
from audit.admin.lists import SafeLookupAdmin

SECRET_COLUMNS = frozenset({"password", "stamp", "encrypted"})
_DIALLED = re.compile(r"\+?[0-9 ()-]{3,}")


def actor_of(request: HttpRequest) -> User:
    """Return who is at the screen. Raises PermissionDenied for nobody."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def normalized(term: str) -> str:
    """Return what was typed in the form that canonical columns have."""
    return unicodedata.normalize("NFKC", term).casefold().strip()


def dialled(term: str) -> str:
    """Return the digits of a phone number, or of a part of one, however it is grouped; blank for anything else."""
    text = normalized(term)
    return re.sub(r"[^0-9]", "", text) if _DIALLED.fullmatch(text) else ""


class NoSecrets(SafeLookupAdmin):
    """A list that nobody filters by a secret: whoever may filter by a column can read it, character by character."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return not SECRET_COLUMNS & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)


class ReadOnly(NoSecrets):
    """Rows that the service alone writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
