"""What the native contract reads and writes."""

from typing import Any

from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import Password, Text
from accounts.models import User


class Login(serializers.Serializer[Any]):
    # A user name, an e-mail address or a phone number; the last two are longer than a name may be.
    username = Text(max_length=names.EMAIL_LENGTH)
    password = Password()


class Registration(serializers.Serializer[Any]):
    username = Text(max_length=names.NAME_LENGTH)
    email = Text(max_length=names.EMAIL_LENGTH)
    password = Password()
    phone = Text(max_length=30, required=False, allow_null=True)
    role = Text(max_length=20, default="unauth")
    full_name = Text(max_length=100, required=False, allow_blank=True)
    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)
    nickname = Text(max_length=50, required=False, allow_blank=True)
    department = Text(max_length=100, required=False, allow_blank=True)


class Refresh(serializers.Serializer[Any]):
    refresh_token = Text()


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the native contract shows one."""
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "phone": names.display_phone(user.phone),
        "role": user.role,
        "full_name": user.full_name,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "nickname": user.nickname,
        "department": user.department,
        "avatar_url": user.avatar_url or None,
        "is_active": user.is_active,
        "awaits_approval": user.awaits_approval,
        "last_login": user.last_login,
        "created_at": user.created_at,
    }
