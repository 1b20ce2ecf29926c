"""The request and response bodies of the clinic contract."""

from typing import Any, ClassVar

from email_validator import EmailNotValidError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from accounts import names
from accounts.contracts.clinic.tokens import ACCESS
from accounts.contracts.fields import CODE_FOLLOWS, Constant, Message, NullableText, PhoneNumber, StrictCharField
from accounts.contracts.serializers import RequestBody, ResponseBody
from accounts.policies import LONGEST_PASSWORD, active_profile

# A user who registers here is a patient.
ROLE = "patient"

_SHORTEST = f"At least {active_profile().password.shortest} characters."


class PydanticString(StrictCharField):
    """A JSON string, which may be empty; its error messages are those of the document's framework."""

    default_error_messages: ClassVar = {"max_length": "String should have at most {max_length} characters"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise ValidationError("Input should be a valid string", code="not_text")
        return super().to_internal_value(data)


class PydanticEmail(PydanticString):
    """An e-mail address; the error message gives the reason."""

    openapi = {"format": "email"}

    def run_validation(self, data: Any = empty) -> Any:
        value = super().run_validation(data)
        try:
            names.canonical_email(value)
        except names.InvalidIdentifier as error:
            reason = error.__cause__ if isinstance(error.__cause__, EmailNotValidError) else error
            raise ValidationError(str(reason)) from error
        return value


class Registration(RequestBody):
    email = PydanticEmail()
    password = PydanticString(max_length=LONGEST_PASSWORD, help_text=_SHORTEST)
    first_name = PydanticString(max_length=100)
    last_name = PydanticString(max_length=100)
    phone_number = PydanticString(max_length=30, allow_blank=False, source="phone")

    example = {
        "email": "user@example.com",
        "password": "Ward-7-by-the-lake",
        "first_name": "明",
        "last_name": "王",
        "phone_number": "13912345678",
    }


class Login(RequestBody):
    email = PydanticString()
    password = PydanticString(help_text=CODE_FOLLOWS)

    example = {"email": "user@example.com", "password": "Ward-7-by-the-lake"}


class Reset(RequestBody):
    email = PydanticEmail()
    old_password = PydanticString(help_text=CODE_FOLLOWS)
    new_password = PydanticString(max_length=LONGEST_PASSWORD, help_text=_SHORTEST)

    example = {"email": "user@example.com", "old_password": "Ward-7-by-the-lake", "new_password": "Ward-8-on-the-hill"}


class UserAnswer(ResponseBody):
    # A user of this contract has no user name.
    email = serializers.CharField(allow_null=True)
    first_name = NullableText()
    last_name = NullableText()
    phone_number = PhoneNumber(source="phone")

    example = {"email": "user@example.com", "first_name": "明", "last_name": "王", "phone_number": "13912345678"}


class TokenAnswer(ResponseBody):
    access_token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`.")
    token_type = Constant("bearer")
    expires_in = serializers.IntegerField(help_text="Lifetime of the token in minutes.")

    example = {
        "access_token": "eyJhbGciOiJIUzI1NiIs…",
        "expires_in": int(ACCESS.lifetime.total_seconds()) // 60,
    }


class RegistrationAnswer(ResponseBody):
    message = Message("User registered successfully.")


class LogoutAnswer(ResponseBody):
    message = Message("You have been logged out.")


class ResetAnswer(ResponseBody):
    message = Message("Password has been reset successfully.")


class Failure(ResponseBody):
    detail = serializers.CharField(help_text="A message for people.")


class WrongField(ResponseBody):
    loc = serializers.ListField(child=serializers.CharField(), help_text="`body`, then the field's name.")
    msg = serializers.CharField(help_text="A message for people.")
    type = serializers.CharField(help_text="A stable code, which programs may compare.")


class WrongFields(ResponseBody):
    detail = WrongField(many=True)
