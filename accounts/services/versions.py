"""The version of an account, for changes that must not overwrite those of others."""

import json
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any, Final

from accounts.errors import EditConflict, NotFound
from accounts.models import User

# All columns but those that only logins read: a password whose hash is upgraded is the same password.
_COLUMNS: Final = tuple(
    field.attname for field in User._meta.concrete_fields if field.attname not in {"password", "stamp", "known_devices"}
)


def version(user: User) -> str:
    """Return a text that differs from that of the account before or after any change."""
    return _version({name: getattr(user, name) for name in _COLUMNS})


def require_version(user_id: int, versions: Collection[str]) -> None:
    """Raise EditConflict unless the account, whose row the transaction has locked, is in one of these versions.

    Raises NotFound for an account that is deleted.
    """
    columns = User.objects.filter(pk=user_id).values(*_COLUMNS).first()
    if columns is None:
        raise NotFound
    if _version(columns) not in versions:
        raise EditConflict


def _version(columns: Mapping[str, Any]) -> str:
    values = json.dumps([columns[name] for name in _COLUMNS], default=str, sort_keys=True)
    return sha256(values.encode()).hexdigest()[:32]
