"""What the native contract reads and writes."""

from typing import Any

from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import JSONObject, Password, Text
from accounts.models import Role, Session, User
from audit.models import LoginAttempt


class Login(serializers.Serializer[Any]):
    # A user name, an e-mail address or a phone number; the last two are longer than a name may be.
    username = Text(max_length=names.EMAIL_LENGTH)
    password = Password()


class Person(serializers.Serializer[Any]):
    """What people may say of themselves."""

    phone = Text(max_length=30, required=False, allow_null=True)
    full_name = Text(max_length=100, required=False, allow_blank=True)
    first_name = Text(max_length=100, required=False, allow_blank=True)
    last_name = Text(max_length=100, required=False, allow_blank=True)
    nickname = Text(max_length=50, required=False, allow_blank=True)
    department = Text(max_length=100, required=False, allow_blank=True)


class Registration(Person):
    username = Text(max_length=names.NAME_LENGTH)
    email = Text(max_length=names.EMAIL_LENGTH)
    password = Password()
    role = Text(max_length=20, default="unauth")


class OwnChanges(Person):
    email = Text(max_length=names.EMAIL_LENGTH, required=False, allow_null=True)
    avatar_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    profile = JSONObject(required=False, allow_null=True)


class UserCreation(Person):
    username = Text(max_length=names.NAME_LENGTH)
    password = Password()
    email = Text(max_length=names.EMAIL_LENGTH, required=False, allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices)


class UserChanges(OwnChanges):
    username = Text(max_length=names.NAME_LENGTH, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)


class PasswordChange(serializers.Serializer[Any]):
    old_password = Password()
    new_password = Password()


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
        "profile": user.profile,
        "is_active": user.is_active,
        "awaits_approval": user.awaits_approval,
        "last_login": user.last_login,
        "created_at": user.created_at,
    }


def session_out(session: Session, current: Session) -> dict[str, Any]:
    """Return one of a user's own sessions; `current` is the one that asks."""
    return {
        "id": str(session.pk),
        "contract": session.contract,
        "ip": session.ip,
        "user_agent": session.user_agent,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "current": session.pk == current.pk,
    }


def attempt_out(attempt: LoginAttempt) -> dict[str, Any]:
    """Return a row of the trail."""
    return {
        "id": attempt.pk,
        "user": attempt.user_id,
        "identifier": attempt.identifier,
        "contract": attempt.contract,
        "ip": attempt.ip,
        "user_agent": attempt.user_agent,
        "status": attempt.status,
        "failure_reason": attempt.failure_reason,
        "request_id": attempt.request_id,
        "at": attempt.at,
        "repeats": attempt.repeats,
    }
