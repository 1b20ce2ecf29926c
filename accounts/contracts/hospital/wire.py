"""What the hospital contract reads and writes."""

from datetime import UTC, datetime
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers
from rest_framework.fields import empty

from accounts import names
from accounts.contracts.fields import Text
from accounts.contracts.hospital.contract import ROLES
from accounts.contracts.schema import Answer, Shape
from accounts.models import Role, User
from accounts.policies import LONGEST_PASSWORD, active_profile

# As long as the document's columns.
NAME_LENGTH = 50
EMAIL_LENGTH = 100

_TIME = "In UTC, without a zone."


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


class OwnRole(Text):
    """A role that the document names."""

    openapi = {"enum": sorted(ROLES)}


class Login(Shape):
    username = Text(allow_blank=True)
    password = Text(allow_blank=True)

    example = {"username": "dr_wang", "password": "123456"}

    def validate_username(self, value: str) -> str:
        return value.strip()


class Registration(Shape):
    # In the order in which the document asks for them.
    username = Needed(max_length=NAME_LENGTH)
    password = Needed(
        max_length=LONGEST_PASSWORD, help_text=f"At least {active_profile().password.shortest} characters."
    )
    email = Needed(max_length=EMAIL_LENGTH)
    full_name = Needed(max_length=100)
    role = OwnRole(max_length=20, default="doctor")
    department = Optional(max_length=100)
    phone = Optional(max_length=30, absent=None)

    example = {"username": "dr_chen", "password": "123456", "email": "chen@hospital.com", "full_name": "陈医生"}


class OwnChanges(Shape):
    full_name = Optional(max_length=100)
    email = Optional(max_length=EMAIL_LENGTH, absent=None)
    department = Optional(max_length=100)
    phone = Optional(max_length=30, absent=None)
    avatar_url = Optional(max_length=500, validators=[URLValidator(schemes=["http", "https"])])
    password = Optional(max_length=LONGEST_PASSWORD, help_text="A new one ends every session, this one too.")
    old_password = Optional(
        max_length=LONGEST_PASSWORD, help_text="The current one: a service in production wants it with a new one."
    )

    example = {
        "full_name": "王主任",
        "email": "w@hospital.com",
        "department": "内科",
        "phone": "13912345678",
        "avatar_url": "https://hospital.com/w.png",
    }


class UserAnswer(Answer):
    user_id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    full_name = serializers.CharField(allow_null=True)
    role = serializers.ChoiceField(Role.choices)
    department = serializers.CharField(allow_null=True)
    avatar_url = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True, help_text="Of mainland China without its country code.")
    is_active = serializers.BooleanField()
    last_login = serializers.CharField(allow_null=True, help_text=_TIME)
    created_time = serializers.CharField(help_text=_TIME)

    example = {
        "user_id": 2,
        "username": "dr_wang",
        "email": "wang@hospital.com",
        "full_name": "王医生",
        "role": "doctor",
        "department": "呼吸科",
        "avatar_url": None,
        "phone": None,
        "is_active": True,
        "last_login": "2026-11-20T06:31:00.123456",
        "created_time": "2026-11-20T06:30:00.123456",
    }


class Profile(Answer):
    user = UserAnswer()

    example = {"user": UserAnswer.example}


class Registered(Profile):
    message = serializers.CharField()

    example = {
        "message": "User registered successfully",
        "user": {
            **UserAnswer.example,
            "user_id": 5,
            "username": "dr_chen",
            "email": "chen@hospital.com",
            "full_name": "陈医生",
            "department": None,
            "last_login": None,
        },
    }


class LoggedIn(Profile):
    message = serializers.CharField()
    token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`.")

    example = {"message": "Login successful", "token": "eyJhbGciOiJIUzI1NiIs…", "user": UserAnswer.example}


class Updated(Profile):
    message = serializers.CharField()

    example = {"message": "Profile updated successfully", "user": {**UserAnswer.example, **OwnChanges.example}}


class LoggedOut(Answer):
    message = serializers.CharField()

    example = {"message": "Logout successful"}


class Pagination(Answer):
    total = serializers.IntegerField(help_text="How many users there are on all pages together.")
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()
    pages = serializers.IntegerField()

    example = {"total": 1, "page": 1, "per_page": 10, "pages": 1}


class Users(Answer):
    items = UserAnswer(many=True)
    pagination = Pagination()

    example = {"items": [UserAnswer.example], "pagination": Pagination.example}


class Success(Answer):
    # The envelope of every success; a subclass says what is in its `data`.
    success = serializers.ChoiceField([True])

    @staticmethod
    def of(data: type[Answer]) -> dict[str, Any]:
        """Return the example of a success with this in it."""
        return {"success": True, "data": data.example}


class RegistrationAnswer(Success):
    data = Registered()  # type: ignore[assignment]  # A serializer's own `data` is not asked for here.

    example = Success.of(Registered)


class LoginAnswer(Success):
    data = LoggedIn()  # type: ignore[assignment]

    example = Success.of(LoggedIn)


class ProfileAnswer(Success):
    data = Profile()  # type: ignore[assignment]

    example = Success.of(Profile)


class UpdateAnswer(Success):
    data = Updated()  # type: ignore[assignment]

    example = Success.of(Updated)


class LogoutAnswer(Success):
    data = LoggedOut()  # type: ignore[assignment]

    example = Success.of(LoggedOut)


class UsersAnswer(Success):
    data = Users()  # type: ignore[assignment]

    example = Success.of(Users)


class Failure(Answer):
    success = serializers.ChoiceField([False])
    message = serializers.CharField(help_text="A sentence for people.")


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
