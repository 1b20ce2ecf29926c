"""What the portal contract reads and writes."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import Email, Null, Password, Text
from accounts.contracts.portal.contract import success
from accounts.contracts.schema import Answer, Shape
from accounts.models import User
from accounts.policies import active_profile

_SEND = "Send it as `Authorization: Bearer <token>`."
_TIME = "In the deployment's time zone, as `2024-12-01 10:30:00`."


class Login(Shape):
    # The document bounds what is registered; people of other contracts log in with what they have.
    username = Text(max_length=names.NAME_LENGTH)
    password = Password(help_text="Exactly as it was set: nothing is trimmed.")

    example = {"username": "admin", "password": "123456"}


class Registration(Shape):
    username = Text(max_length=50)
    password = Password(help_text=f"At least {active_profile().password.shortest} characters.")
    email = Email(max_length=100)
    nickname = Text(max_length=50, required=False, allow_blank=True)

    example = {"username": "newuser", "password": "123456", "email": "newuser@example.com", "nickname": "新用户"}


class Success(Answer):
    # The envelope of what went well; where there is data, a subclass names what is in it.
    code = serializers.ChoiceField([200])
    message = serializers.CharField()


class Failure(Answer):
    """What every error looks like."""

    code = serializers.IntegerField(help_text="The HTTP status.")
    message = serializers.CharField(help_text="A sentence for people, in Chinese; it names the fields that are wrong.")
    data = Null()  # type: ignore[assignment]  # A serializer's own `data` is not asked for here.


class Person(Answer):
    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    nickname = serializers.CharField(allow_blank=True)

    example = {"id": 2, "username": "newuser", "email": "newuser@example.com", "nickname": "新用户"}


class RegistrationAnswer(Success):
    data = Person()  # type: ignore[assignment]  # As above.

    example = success("注册成功", dict(Person.example))


class LoginPerson(Person):
    avatar = serializers.CharField(allow_null=True)
    last_login_time = serializers.CharField(allow_null=True, help_text=_TIME)

    example = {
        "id": 1,
        "username": "admin",
        "email": "admin@example.com",
        "nickname": "管理员",
        "avatar": None,
        "last_login_time": "2024-12-01 10:30:00",
    }


class LoginData(Answer):
    token = serializers.CharField(help_text=_SEND)
    user = LoginPerson()

    example = {"token": "eyJhbGciOiJIUzI1NiIs…", "user": LoginPerson.example}


class LoginAnswer(Success):
    data = LoginData()  # type: ignore[assignment]  # As above.

    example = success("登录成功", dict(LoginData.example))


class RefreshData(Answer):
    token = serializers.CharField(help_text=_SEND)

    example = {"token": "eyJhbGciOiJIUzI1NiIs…"}


class RefreshAnswer(Success):
    data = RefreshData()  # type: ignore[assignment]  # As above.

    example = success("刷新成功", dict(RefreshData.example))


class LogoutAnswer(Success):
    example = success("登出成功")


class Profile(LoginPerson):
    status = serializers.ChoiceField([0, 1], help_text="1 is active, 0 is disabled.")
    last_login_ip = serializers.CharField(allow_null=True)
    created_at = serializers.CharField(help_text=_TIME)

    example = {
        **LoginPerson.example,
        "status": 1,
        "last_login_ip": "127.0.0.1",
        "created_at": "2024-12-01 09:00:00",
    }


class ProfileAnswer(Success):
    data = Profile()  # type: ignore[assignment]  # As above.

    example = success("获取成功", dict(Profile.example))


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
