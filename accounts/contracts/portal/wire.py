"""The request and response bodies of the portal contract."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import (
    AccessToken,
    Constant,
    ConvertedField,
    Email,
    Message,
    Null,
    NullableText,
    Password,
    PasswordWithCode,
    StrictCharField,
)
from accounts.contracts.serializers import Envelope, RequestBody, ResponseBody
from accounts.models import Role
from accounts.policies import active_profile

# Document 002 names no roles; a user who registers there may only read.
ROLE = Role.VIEWER


class Login(RequestBody):
    # The document limits new user names; users of other contracts log in with theirs.
    username = StrictCharField(max_length=names.NAME_LENGTH)
    password = PasswordWithCode()

    example = {"username": "newuser", "password": "Ward-7-by-the-lake"}


class Registration(RequestBody):
    username = StrictCharField(max_length=50)
    password = Password(help_text=f"At least {active_profile().password.shortest} characters.")
    email = Email(max_length=100)
    nickname = StrictCharField(max_length=50, required=False, allow_blank=True)

    example = {**Login.example, "email": "newuser@example.com", "nickname": "新用户"}


class Success(Envelope):
    code = Constant(200)
    message = serializers.CharField()


class Failure(ResponseBody):
    """The body of every error."""

    code = serializers.IntegerField(help_text="The HTTP status.")
    message = serializers.CharField(help_text="A message for people, in Chinese; it names the invalid fields.")
    data = Null()  # type: ignore[assignment]  # It hides the serializer's own `data`, which is not used.


class LocalTime(ConvertedField, serializers.CharField):
    """A time as the document prints it, in the deployment's time zone, or null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="In the deployment's time zone, as `2024-12-01 10:30:00`.", **kwargs)

    def convert(self, value: datetime | None) -> str | None:
        if value is None:
            return None
        return f"{timezone.localtime(value, timezone.get_default_timezone()):%Y-%m-%d %H:%M:%S}"


class Status(ConvertedField, serializers.ChoiceField):
    """Whether a user is active, as a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[0, 1], help_text="1 is active, 0 is disabled.", **kwargs)

    def convert(self, value: bool) -> int:
        return int(value)


class RegistrationData(ResponseBody):
    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    nickname = serializers.CharField(allow_blank=True)

    example = {"id": 2, "username": "newuser", "email": "newuser@example.com", "nickname": "新用户"}


class LoginUser(RegistrationData):
    avatar = NullableText(source="avatar_url")
    last_login_time = LocalTime(source="last_login", allow_null=True)

    example = {
        **RegistrationData.example,
        "last_login_time": "2024-12-01 10:30:00",
    }


class LoginData(ResponseBody):
    token = AccessToken()
    user = LoginUser()

    example = {"token": "eyJhbGciOiJIUzI1NiIs…"}


class RefreshData(ResponseBody):
    token = AccessToken()

    example = {"token": "eyJhbGciOiJIUzI1NiIs…"}


class LogoutAnswer(Success):
    message = Message("登出成功")


class ProfileData(RegistrationData):
    avatar = NullableText(source="avatar_url")
    status = Status(source="is_active")
    last_login_time = LocalTime(source="last_login", allow_null=True)
    last_login_ip = serializers.CharField(allow_null=True)
    created_at = LocalTime()

    example = {**LoginUser.example, "status": 1, "last_login_ip": "127.0.0.1", "created_at": "2024-12-01 09:00:00"}
