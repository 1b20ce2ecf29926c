"""What the hospital contract reads and writes."""

from datetime import UTC, datetime
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers
from rest_framework.fields import empty

from accounts import names
from accounts.contracts.fields import Text
from accounts.models import User
from accounts.policies import LONGEST_PASSWORD

# As long as the document's columns.
NAME_LENGTH = 50
EMAIL_LENGTH = 100


class Needed(Text):
    """A text that must be there: any empty value is asked for anew, of whatever type it is."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(data or None)


class Optional(Text):
    """A text that may be left out; null and an empty one are the same, and are kept as `absent`."""

    def __init__(self, absent: str | None = "", **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, **kwargs)
        self.absent = absent

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(data) or self.absent


class Login(serializers.Serializer[Any]):
    username = Text(allow_blank=True)
    password = Text(allow_blank=True)

    def validate_username(self, value: str) -> str:
        return value.strip()


class Registration(serializers.Serializer[Any]):
    # In the order in which the document asks for them.
    username = Needed(max_length=NAME_LENGTH)
    password = Needed(max_length=LONGEST_PASSWORD)
    email = Needed(max_length=EMAIL_LENGTH)
    full_name = Needed(max_length=100)
    role = Text(max_length=20, default="doctor")
    department = Optional(max_length=100)
    phone = Optional(max_length=30, absent=None)


class OwnChanges(serializers.Serializer[Any]):
    full_name = Optional(max_length=100)
    email = Optional(max_length=EMAIL_LENGTH, absent=None)
    department = Optional(max_length=100)
    phone = Optional(max_length=30, absent=None)
    avatar_url = Optional(max_length=500, validators=[URLValidator(schemes=["http", "https"])])
    password = Optional(max_length=LONGEST_PASSWORD)
    old_password = Optional(max_length=LONGEST_PASSWORD)


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the document's `to_dict` prints one."""
    return {
        "user_id": user.pk,
        "username": user.username,
        "email": user.email,
        "full_name": user.full_name or None,
        "role": user.role,
        "department": user.department or None,
        "avatar_url": user.avatar_url or None,
        "phone": names.display_phone(user.phone),
        "is_active": user.is_active,
        "last_login": _time_out(user.last_login),
        "created_time": _time_out(user.created_at),
    }


def _time_out(time: datetime | None) -> str | None:
    """Return a time as Python prints one in UTC that has no zone."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() if time else None
