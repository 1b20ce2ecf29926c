"""The former systems: their tables and columns as their documents print them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from django.conf import settings

from accounts.models import Role

# The columns of `User` that an export has, beside those of an import.
EXPORTED: Final = (
    "id",
    "username",
    "email",
    "phone",
    "role",
    "full_name",
    "first_name",
    "last_name",
    "nickname",
    "department",
    "job_title",
    "avatar_url",
    "profile",
    "language",
    "valid_from",
    "valid_until",
    "is_active",
    "awaits_approval",
    "last_login",
    "last_login_ip",
    "created_at",
    "password_changed_at",
    "verified_email",
    "verified_phone",
)


@dataclass(frozen=True, slots=True)
class LoginLogTable:
    """A table of former login attempts. Its columns: id of the user, address, user agent, time, status, reason."""

    table: str
    key: str
    columns: tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class FormerSystem:
    """A former system.

    `columns` has, for each column of `User`, the names that the system's column may have. `tables` are the names that
    the table of users may have, `details` those of a table with more columns about each user, by `user_id`. `login` is
    the identifier that the system's clients log in with.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    tables: tuple[str, ...] = ("users", "user")
    details: tuple[str, ...] = ()
    login: str = "username"
    default_role: str = Role.UNAUTH
    is_utc: bool = True
    logs: LoginLogTable | None = field(default=None)

    @property
    def zone(self) -> tzinfo:
        """The time zone of times without one."""
        return UTC if self.is_utc else settings.ZONE


_HOSPITAL: Final = FormerSystem(
    name="hospital",
    columns={
        "id": ("user_id",),
        "username": ("username",),
        "email": ("email",),
        "password": ("password_hash",),
        "full_name": ("full_name",),
        "role": ("role",),
        "department": ("department",),
        "avatar_url": ("avatar_url",),
        "phone": ("phone",),
        "is_active": ("is_active",),
        "last_login": ("last_login",),
        "created_at": ("created_time",),
    },
    default_role=Role.DOCTOR,
    logs=LoginLogTable(
        "login_logs", "log_id", ("user_id", "login_ip", "user_agent", "login_time", "status", "failure_reason")
    ),
)
# Document 001 prints fields of requests and responses, and no table.
_UNION: Final = FormerSystem(
    name="union",
    columns={
        "id": ("userId", "user_id", "id"),
        "username": ("username",),
        "password": ("password", "password_hash"),
        "role": ("role", "userType", "user_type"),
        "phone": ("phone",),
        "profile": ("profileJson", "profile_json"),
        "created_at": ("createdAt", "created_at"),
    },
    login="phone",
    default_role=Role.PATIENT,
    is_utc=False,
)
_PORTAL: Final = FormerSystem(
    name="portal",
    columns={
        "id": ("id",),
        "username": ("username",),
        "password": ("password",),
        "email": ("email",),
        "nickname": ("nickname",),
        "avatar_url": ("avatar",),
        "is_active": ("status",),
        "last_login": ("last_login_time",),
        "last_login_ip": ("last_login_ip",),
        "created_at": ("created_at",),
    },
    default_role=Role.VIEWER,
    is_utc=False,
)
# Document 003 prints the fields of a response, and no name for the column of the hash.
_SUPPLY: Final = FormerSystem(
    name="supply",
    columns={
        "id": ("id",),
        "username": ("username",),
        "email": ("email",),
        "phone": ("phone",),
        "password": ("password_hash", "password"),
        "role": ("role",),
        "is_active": ("is_active",),
        "created_at": ("created_at",),
    },
)
_CLINIC: Final = FormerSystem(
    name="clinic",
    columns={
        "id": ("id",),
        "email": ("email",),
        "password": ("hashed_password",),
        "is_disabled": ("disabled",),
        "first_name": ("first_name",),
        "last_name": ("last_name",),
        "phone": ("phone_number",),
    },
    details=("user_info", "userinfo", "user_infos"),
    login="email",
    default_role=Role.PATIENT,
)
_AUTHSVC: Final = FormerSystem(
    name="authsvc",
    columns={name: (name,) for name in (*EXPORTED, "password")},
    tables=("accounts_user",),
)

SYSTEMS: Final[Mapping[str, FormerSystem]] = {
    each.name: each for each in (_HOSPITAL, _UNION, _PORTAL, _SUPPLY, _CLINIC, _AUTHSVC)
}
