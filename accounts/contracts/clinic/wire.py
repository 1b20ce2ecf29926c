"""What the clinic contract reads and writes."""

from typing import Any, ClassVar

from email_validator import EmailNotValidError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from accounts import names
from accounts.contracts.clinic.contract import ACCESS
from accounts.contracts.fields import Text
from accounts.contracts.schema import Answer, Shape
from accounts.models import User
from accounts.policies import LONGEST_PASSWORD, active_profile

_SHORTEST = f"At least {active_profile().password.shortest} characters."


class String(Text):
    """A JSON string, which may be empty; what is wrong with it is said as the document's framework says it."""

    default_error_messages: ClassVar = {"max_length": "String should have at most {max_length} characters"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise ValidationError("Input should be a valid string", code="not_text")
        return super().to_internal_value(data)


class EmailStr(String):
    """An e-mail address; of anything else it is said in full what is wrong."""

    openapi = {"format": "email"}

    def run_validation(self, data: Any = empty) -> Any:
        value = super().run_validation(data)
        try:
            names.canonical_email(value)
        except names.InvalidIdentifier as error:
            reason = error.__cause__ if isinstance(error.__cause__, EmailNotValidError) else error
            raise ValidationError(str(reason)) from error
        return value


class Registration(Shape):
    email = EmailStr()
    password = String(max_length=LONGEST_PASSWORD, help_text=_SHORTEST)
    first_name = String(max_length=100)
    last_name = String(max_length=100)
    phone_number = String(max_length=30, allow_blank=False, source="phone")

    example = {
        "email": "user@example.com",
        "password": "currentpassword",
        "first_name": "明",
        "last_name": "王",
        "phone_number": "13912345678",
    }


class Login(Shape):
    email = String()
    password = String()

    example = {"email": "user@example.com", "password": "currentpassword"}


class Reset(Shape):
    email = EmailStr()
    old_password = String()
    new_password = String(max_length=LONGEST_PASSWORD, help_text=_SHORTEST)

    example = {"email": "user@example.com", "old_password": "currentpassword", "new_password": "newpassword123"}


class UserAnswer(Answer):
    email = serializers.CharField(allow_null=True)
    first_name = serializers.CharField(allow_null=True)
    last_name = serializers.CharField(allow_null=True)
    phone_number = serializers.CharField(allow_null=True, help_text="Of mainland China without its country code.")

    example = {"email": "user@example.com", "first_name": "明", "last_name": "王", "phone_number": "13912345678"}


class TokenAnswer(Answer):
    access_token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`.")
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField(help_text="So many minutes the token lives.")

    example = {
        "access_token": "eyJhbGciOiJIUzI1NiIs…",
        "token_type": "bearer",
        "expires_in": int(ACCESS.lifetime.total_seconds()) // 60,
    }


class Message(Answer):
    message = serializers.CharField()


class RegistrationAnswer(Message):
    example = {"message": "User registered successfully."}


class LogoutAnswer(Message):
    example = {"message": "You have been logged out."}


class ResetAnswer(Message):
    example = {"message": "Password has been reset successfully."}


class Failure(Answer):
    detail = serializers.CharField(help_text="A sentence for people.")


class WrongField(Answer):
    loc = serializers.ListField(child=serializers.CharField(), help_text="`body`, then the field's name.")
    msg = serializers.CharField(help_text="A sentence for people.")
    type = serializers.CharField(help_text="Stable: programs may rely on it.")


class WrongFields(Answer):
    detail = WrongField(many=True)


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the clinic shows one, who has no user name here."""
    return {
        "email": user.email,
        "first_name": user.first_name or None,
        "last_name": user.last_name or None,
        "phone_number": names.display_phone(user.phone),
    }
