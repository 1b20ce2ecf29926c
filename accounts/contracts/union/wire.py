"""The request and response bodies of the union contract."""

import json
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts.contracts.fields import (
    AccessToken,
    Constant,
    ConvertedField,
    Message,
    Null,
    Password,
    PasswordWithCode,
    StrictCharField,
)
from accounts.contracts.serializers import Envelope, RequestBody, ResponseBody
from accounts.models import Role
from accounts.policies import active_profile

# The roles that document 001 names.
ROLES = frozenset({Role.PATIENT, Role.DOCTOR, Role.ADMIN})


class UpperCaseRole(serializers.ChoiceField):
    """One of the document's roles, which are in upper case on the wire."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=sorted(role.upper() for role in ROLES), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).lower()


class ElevenDigits(StrictCharField):
    """A phone number as the document has it: eleven digits."""

    openapi = {"pattern": "^[0-9]{11}$"}


class Registration(RequestBody):
    username = StrictCharField(min_length=3, max_length=50)
    password = Password(
        min_length=6, max_length=100, help_text=f"At least {active_profile().password.shortest} characters."
    )
    role = UpperCaseRole(help_text="Not all of these are open to registration.")
    phone = ElevenDigits(validators=[RegexValidator(r"\A[0-9]{11}\Z")])

    example = {"username": "zhang_san", "password": "Ward-7-by-the-lake", "role": "PATIENT", "phone": "13912345678"}


class Login(RequestBody):
    # The document limits new phone numbers; users of other contracts log in with theirs.
    phone = StrictCharField(max_length=30)
    password = PasswordWithCode()
    userType = UpperCaseRole(help_text="The account's role.")  # noqa: N815 The document's own spelling.

    example = {"phone": "13912345678", "password": "Ward-7-by-the-lake", "userType": "PATIENT"}


class Success(Envelope):
    success = Constant(True)
    code = Constant(0)
    message = serializers.CharField()


class Failure(ResponseBody):
    """The body of every error."""

    success = Constant(False)
    code = serializers.IntegerField(
        help_text="1001 the user name is taken, 1002 the login failed, 1003 the user is deleted; otherwise the HTTP "
        "status."
    )
    message = serializers.CharField(help_text="A message for people, in Chinese; it names the invalid fields.")
    data = Null()  # type: ignore[assignment]  # It hides the serializer's own `data`, which is not used.


class RegistrationData(ResponseBody):
    userId = serializers.IntegerField(source="id")  # noqa: N815 The document's own spelling.
    message = Message("注册成功")

    example = {"userId": 1}


class AnyRole(ConvertedField, serializers.ChoiceField):
    """A user's role in upper case. An account of another contract has any role."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[role.upper() for role in Role.values], **kwargs)

    def convert(self, value: str) -> str:
        return value.upper()


class JSONString(ConvertedField, serializers.CharField):
    """A JSON object, written as a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, help_text="A JSON object, written as a string.", **kwargs)

    def convert(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False)


class UserData(ResponseBody):
    # The instance is a session.
    userId = serializers.IntegerField(source="user.id")  # noqa: N815 The document's own spelling.
    username = serializers.CharField(source="user.username")
    role = AnyRole(source="user.role")
    profileJson = JSONString(source="user.profile")  # noqa: N815 The document's own spelling.

    example = {"userId": 1, "username": "zhang_san", "role": "PATIENT"}


class LoginData(UserData):
    token = AccessToken()

    example = {"token": "eyJhbGciOiJIUzM4NCIs…"}
