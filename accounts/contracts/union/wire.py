"""What the union contract reads and writes."""

import json
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts.contracts.fields import Null, Password, Text
from accounts.contracts.schema import Answer, Shape
from accounts.contracts.union.contract import ROLES, success
from accounts.models import Role, User
from accounts.policies import active_profile


class CapitalRole(serializers.ChoiceField):
    """One of the document's roles, which are in capitals on the wire."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=sorted(role.upper() for role in ROLES), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).lower()


class Phone(Text):
    """A phone number as the document has it: eleven digits."""

    openapi = {"pattern": "^[0-9]{11}$"}


class Registration(Shape):
    username = Text(min_length=3, max_length=50)
    password = Password(
        min_length=6, max_length=100, help_text=f"At least {active_profile().password.shortest} characters."
    )
    role = CapitalRole(help_text="Not all of these may be registered for.")
    phone = Phone(validators=[RegexValidator(r"\A[0-9]{11}\Z")])

    example = {"username": "zhang_san", "password": "password123", "role": "PATIENT", "phone": "13912345678"}


class Login(Shape):
    # The document bounds what is registered; people of other contracts log in with what they have.
    phone = Text(max_length=30)
    password = Password(help_text="Exactly as it was set: nothing is trimmed.")
    userType = CapitalRole(help_text="The account's role.")  # noqa: N815 The document's own spelling.

    example = {"phone": "13912345678", "password": "password123", "userType": "PATIENT"}


class Success(Answer):
    # The envelope of what went well; a subclass names what is in `data`.
    success = serializers.ChoiceField([True])
    code = serializers.ChoiceField([0])
    message = serializers.CharField()


class Failure(Answer):
    """What every error looks like."""

    success = serializers.ChoiceField([False])
    code = serializers.IntegerField(
        help_text="1001 the user name is taken, 1002 the login failed, 1003 the user is gone; else the HTTP status."
    )
    message = serializers.CharField(help_text="A sentence for people, in Chinese; it names the fields that are wrong.")
    data = Null()  # type: ignore[assignment]  # A serializer's own `data` is not asked for here.


class Registered(Answer):
    userId = serializers.IntegerField()  # noqa: N815 The document's own spelling.
    message = serializers.CharField()

    example = {"userId": 1, "message": "注册成功"}


class RegistrationAnswer(Success):
    data = Registered()  # type: ignore[assignment]  # As above.

    example = success("用户注册成功", dict(Registered.example))


class UserData(Answer):
    userId = serializers.IntegerField()  # noqa: N815 The document's own spelling.
    username = serializers.CharField()
    # An account of another contract has any role there is.
    role = serializers.ChoiceField([role.upper() for role in Role.values])
    profileJson = serializers.CharField(  # noqa: N815 The document's own spelling.
        allow_null=True, help_text="A JSON object, written as a string."
    )

    example = {"userId": 1, "username": "zhang_san", "role": "PATIENT", "profileJson": None}


class LoginData(UserData):
    token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`.")

    example = {**UserData.example, "token": "eyJhbGciOiJIUzM4NCIs…"}


class LoginAnswer(Success):
    data = LoginData()  # type: ignore[assignment]  # As above.

    example = success("登录成功", dict(LoginData.example))


class UserAnswer(Success):
    data = UserData()  # type: ignore[assignment]  # As above.

    example = success("获取用户信息成功", dict(UserData.example))


def registered_out(user: User) -> dict[str, Any]:
    """Return what a new user is told of the registration."""
    return {"userId": user.pk, "message": "注册成功"}


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the union contract shows one."""
    return {
        "userId": user.pk,
        "username": user.username,
        "role": user.role.upper(),
        "profileJson": None if user.profile is None else json.dumps(user.profile, ensure_ascii=False),
    }
