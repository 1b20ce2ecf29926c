"""What the portal contract reads and writes."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import Password, Text
from accounts.models import User


class Login(serializers.Serializer[Any]):
    # The document bounds what is registered; people of other contracts log in with what they have.
    username = Text(max_length=names.NAME_LENGTH)
    password = Password()


class Registration(serializers.Serializer[Any]):
    username = Text(max_length=50)
    password = Password()
    email = Text(max_length=100)
    nickname = Text(max_length=50, required=False, allow_blank=True)


def registered_out(user: User) -> dict[str, Any]:
    """Return a user who has just registered."""
    return {"id": user.pk, "username": user.username, "email": user.email, "nickname": user.nickname}


def login_out(user: User) -> dict[str, Any]:
    """Return a user who has just logged in."""
    return {
        **registered_out(user),
        "avatar": user.avatar_url or None,
        "last_login_time": _time_out(user.last_login),
    }


def profile_out(user: User) -> dict[str, Any]:
    """Return all that users see of themselves."""
    return {
        **registered_out(user),
        "avatar": user.avatar_url or None,
        "status": 1 if user.is_active else 0,
        "last_login_time": _time_out(user.last_login),
        "last_login_ip": user.last_login_ip,
        "created_at": _time_out(user.created_at),
    }


def _time_out(moment: datetime | None) -> str | None:
    """Return a time as the document prints it, in the deployment's zone."""
    if moment is None:
        return None
    return f"{timezone.localtime(moment, timezone.get_default_timezone()):%Y-%m-%d %H:%M:%S}"
