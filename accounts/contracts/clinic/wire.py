"""What the clinic contract reads and writes."""

from typing import Any, ClassVar

from email_validator import EmailNotValidError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from accounts import names
from accounts.contracts.fields import Text
from accounts.models import User
from accounts.policies import LONGEST_PASSWORD


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

    def run_validation(self, data: Any = empty) -> Any:
        value = super().run_validation(data)
        try:
            names.canonical_email(value)
        except names.NotAName as error:
            reason = error.__cause__ if isinstance(error.__cause__, EmailNotValidError) else error
            raise ValidationError(str(reason)) from error
        return value


class Registration(serializers.Serializer[Any]):
    email = EmailStr()
    password = String(max_length=LONGEST_PASSWORD)
    first_name = String(max_length=100)
    last_name = String(max_length=100)
    phone_number = String(max_length=30, allow_blank=False, source="phone")


class Login(serializers.Serializer[Any]):
    email = String()
    password = String()


class Reset(serializers.Serializer[Any]):
    email = EmailStr()
    old_password = String()
    new_password = String(max_length=LONGEST_PASSWORD)


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the clinic shows one, who has no user name here."""
    return {
        "email": user.email,
        "first_name": user.first_name or None,
        "last_name": user.last_name or None,
        "phone_number": names.display_phone(user.phone),
    }
