"""The request and response bodies of the hospital contract."""

from datetime import UTC, datetime
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers
from rest_framework.fields import empty

from accounts.contracts.fields import (
    CODE_FOLLOWS,
    AccessToken,
    Constant,
    ConvertedField,
    Message,
    NullableText,
    PhoneNumber,
    StrictCharField,
)
from accounts.contracts.serializers import Envelope, RequestBody, ResponseBody
from accounts.models import Role
from accounts.policies import LONGEST_PASSWORD, active_profile

# The lengths of the document's columns.
NAME_LENGTH = 50
EMAIL_LENGTH = 100

# The roles that document 000 names.
ROLES = frozenset({"admin", "doctor", "researcher", "viewer"})


class RequiredText(StrictCharField):
    """A text that is required: an empty value of any type counts as missing."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(data or None)


class OptionalText(StrictCharField):
    """A text that may be missing, null or empty, all of which become `absent`."""

    def __init__(self, absent: str | None = "", **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, **kwargs)
        self.absent = absent

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(data) or self.absent


class RegistrationRole(StrictCharField):
    """A role that the document names."""

    openapi = {"enum": sorted(ROLES)}


class Login(RequestBody):
    username = StrictCharField(allow_blank=True)
    password = StrictCharField(allow_blank=True, help_text=CODE_FOLLOWS)

    example = {"username": "chen_jing", "password": "Ward-7-by-the-lake"}

    def validate_username(self, value: str) -> str:
        return value.strip()


class Registration(RequestBody):
    # In the order in which the document reports missing ones.
    username = RequiredText(max_length=NAME_LENGTH)
    password = RequiredText(
        max_length=LONGEST_PASSWORD, help_text=f"At least {active_profile().password.shortest} characters."
    )
    email = RequiredText(max_length=EMAIL_LENGTH)
    full_name = RequiredText(max_length=100)
    role = RegistrationRole(max_length=20, default="doctor")
    department = OptionalText(max_length=100)
    phone = OptionalText(max_length=30, absent=None)

    example = {
        **Login.example,
        "email": "chen@hospital.com",
        "full_name": "陈静",
        "role": "viewer",
    }


class ProfileUpdate(RequestBody):
    full_name = OptionalText(max_length=100)
    email = OptionalText(max_length=EMAIL_LENGTH, absent=None)
    department = OptionalText(max_length=100)
    phone = OptionalText(max_length=30, absent=None)
    avatar_url = OptionalText(max_length=500, validators=[URLValidator(schemes=["http", "https"])])
    password = OptionalText(max_length=LONGEST_PASSWORD, help_text="A new password ends every session.")
    old_password = OptionalText(
        max_length=LONGEST_PASSWORD, help_text="The current password; in production it is required to set a new one."
    )

    example = {
        "full_name": "王主任",
        "email": "w@hospital.com",
        "department": "内科",
        "phone": "13912345678",
        "avatar_url": "https://hospital.com/w.png",
        "old_password": "Ward-7-by-the-lake",
    }


class UTCTime(ConvertedField, serializers.CharField):
    """A time as Python prints one in UTC without a time zone, or null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="In UTC, without a time zone.", **kwargs)

    def convert(self, value: datetime | None) -> str | None:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() if value else None


class UserAnswer(ResponseBody):
    user_id = serializers.IntegerField(source="id")
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    full_name = NullableText()
    role = serializers.ChoiceField(Role.choices)
    department = NullableText()
    avatar_url = NullableText()
    phone = PhoneNumber()
    is_active = serializers.BooleanField()
    last_login = UTCTime(allow_null=True)
    created_time = UTCTime(source="created_at")

    example = {
        "user_id": 5,
        "username": "chen_jing",
        "email": "chen@hospital.com",
        "full_name": "陈静",
        "role": "viewer",
        "is_active": True,
        "last_login": "2026-11-20T06:31:00.123456",
        "created_time": "2026-11-20T06:30:00.123456",
    }


class ProfileData(ResponseBody):
    user = UserAnswer()


class RegistrationData(ResponseBody):
    message = Message("User registered successfully")
    user = UserAnswer()

    example = {"user": {**UserAnswer.example, "last_login": None}}


class LoginData(ResponseBody):
    message = Message("Login successful")
    token = AccessToken()
    user = UserAnswer()

    example = {"token": "eyJhbGciOiJIUzI1NiIs…"}


class UpdateData(ResponseBody):
    message = Message("Profile updated successfully")
    user = UserAnswer()

    example = {"user": {name: ProfileUpdate.example.get(name, value) for name, value in UserAnswer.example.items()}}


class LogoutData(ResponseBody):
    message = Message("Logout successful")


class Pagination(ResponseBody):
    total = serializers.IntegerField(help_text="Number of users on all pages.")
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()
    pages = serializers.IntegerField()

    example = {"total": 1, "page": 1, "per_page": 10, "pages": 1}


class UsersData(ResponseBody):
    items = UserAnswer(many=True)
    pagination = Pagination()


class Success(Envelope):
    success = Constant(True)


class Failure(ResponseBody):
    success = Constant(False)
    message = serializers.CharField(help_text="A message for people.")
