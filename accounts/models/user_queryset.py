"""Queries of users; canonical columns and the stamp follow every write."""

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import BaseUserManager
from django.db import connections, models
from django.utils import timezone

from accounts import names
from accounts.models.role import Role
from accounts.names import IDENTIFIERS
from audit.validity import may_log_in, today

if TYPE_CHECKING:
    from accounts.models.user import User

# A change to any of these ends every session that was opened before it.
CREDENTIAL_FIELDS = frozenset({"password", "role", "is_active", "awaits_approval"})
# One look-up in the column's index for each value, where DISTINCT reads every row.
_DISTINCT = """
WITH RECURSIVE found(value) AS (
    SELECT MIN({column}) FROM {table} WHERE {column} > ''
    UNION ALL
    SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL
) SELECT value FROM found WHERE value IS NOT NULL
"""
# The fields whose canonical form has a column of its own.
_CANONICAL = {field: each.column for field, each in IDENTIFIERS.items() if each.column != field}


def new_stamp() -> str:
    """Return a value that no earlier or later state of any account has."""
    return secrets.token_hex(16)


def canonical_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that follow from those given: canonical forms, and NULL for what is blank.

    Raises InvalidIdentifier, a ValueError.
    """
    result: dict[str, Any] = {}
    for field, identifier in IDENTIFIERS.items():
        if field not in columns:
            continue
        if columns[field] or field == "username":
            result[identifier.column] = identifier.canonical(columns[field])
        else:
            result |= {field: None, identifier.column: None}
    return result


def with_canonical(fields: Iterable[str]) -> set[str]:
    """Return the fields and the columns of their canonical forms."""
    given = set(fields)
    return given | {column for field, column in _CANONICAL.items() if field in given}


def _is_expression(value: object) -> bool:
    return hasattr(value, "resolve_expression")


class UserQuerySet(models.QuerySet["User"]):
    def update(self, **kwargs: Any) -> int:
        """Update as Django does; canonical columns follow, and a changed credential renews the stamp."""
        for field, key in _CANONICAL.items():
            if _is_expression(kwargs.get(field)) and key not in kwargs:
                raise ValueError(f"{field} cannot be set from an expression: its canonical form is made in Python.")
        kwargs |= canonical_columns({name: value for name, value in kwargs.items() if not _is_expression(value)})
        if CREDENTIAL_FIELDS & kwargs.keys() and "stamp" not in kwargs:
            kwargs["stamp"] = new_stamp()
        if "password" in kwargs:
            kwargs.setdefault("password_changed_at", timezone.now())
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable["User"], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs = list(objs)
        for user in objs:
            user.derive()
        return super().bulk_update(objs, sorted(with_canonical(fields)), batch_size)

    def bulk_create(self, objs: Iterable["User"], *args: Any, **kwargs: Any) -> list["User"]:
        objs = list(objs)
        for user in objs:
            user.derive()
        if update_fields := set(kwargs.get("update_fields") or ()):
            update_fields = with_canonical(update_fields)
            if update_fields & CREDENTIAL_FIELDS:
                update_fields.add("stamp")
            if "password" in update_fields:
                update_fields.add("password_changed_at")
            kwargs["update_fields"] = sorted(update_fields)
        return super().bulk_create(objs, *args, **kwargs)

    def taken(self, user: "User") -> list[str]:
        """Return which of a user's name, address and number another account has."""
        given = canonical_columns({name: getattr(user, name) for name in IDENTIFIERS})
        columns = {field: identifier.column for field, identifier in IDENTIFIERS.items()}
        wanted = {field: given[column] for field, column in columns.items() if given[column] is not None}
        any_of_them = models.Q()
        for field, value in wanted.items():
            any_of_them |= models.Q(**{columns[field]: value})
        others = list(self.filter(any_of_them).exclude(pk=user.pk).values(*columns.values()))
        return [field for field, value in wanted.items() if any(row[columns[field]] == value for row in others)]

    def distinct_values(self, field: str) -> list[str]:
        """Return the values of an indexed text column in all accounts, sorted, without the blank one."""
        connection = connections[self.db]
        quote = connection.ops.quote_name
        statement = _DISTINCT.format(column=quote(field), table=quote(self.model._meta.db_table))
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [value for (value,) in cursor.fetchall()]

    def active_administrators(self) -> "UserQuerySet":
        """Return the administrators who may log in, today and without an end."""
        return self.filter(may_log_in(today()), role=Role.ADMIN, valid_until=None)

    def rehash(self, verified: str, encoded: str) -> int:
        """Replace the hash that was just verified by a stronger one of the same password; sessions stay valid.

        The condition keeps a copy that was read before a password change from bringing the old password back.
        """
        return super(UserQuerySet, self.filter(password=verified)).update(password=encoded)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)["User"]):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        try:
            key = names.canonical_username(username or "")
        except names.InvalidIdentifier:
            raise self.model.DoesNotExist from None
        user: User = self.get(username_key=key)
        return user

    def create_user(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        user: User = self.model(username=names.display_username(username), email=email or None, **fields)
        user.set_password(password)
        # Accounts of the public are made by accounts.services.registration; these are an administrator's.
        user.vouch()
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        fields |= {"role": Role.ADMIN, "is_superuser": True}
        return self.create_user(username, email, password, **fields)
