"""The request and response bodies of the native contract's operations with codes."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts import names
from accounts.contracts.fields import SIX_DIGITS, Password, SentCode, StrictCharField
from accounts.contracts.native.wire import IDENTIFIER_HELP, NEW_PASSWORD_HELP
from accounts.contracts.serializers import RequestBody, ResponseBody
from accounts.models import Channel
from accounts.policies import CODE_LIFE

_SIX_DIGITS = "The six digits from the message. Any other value counts as a wrong code."


class Contact(RequestBody):
    identifier = StrictCharField(max_length=names.EMAIL_LENGTH, help_text=IDENTIFIER_HELP)
    channel = serializers.ChoiceField(choices=Channel.values)
    contact = StrictCharField(max_length=names.EMAIL_LENGTH, help_text="The account's e-mail address or phone number.")

    example = {"identifier": "alice", "channel": "email", "contact": "alice@hospital.example"}


class PasswordReset(Contact):
    code = SentCode(help_text=_SIX_DIGITS)
    new_password = Password(help_text=NEW_PASSWORD_HELP)

    example = {**Contact.example, "code": "048213", "new_password": "Ward-8-on-the-hill"}


class VerificationRequest(RequestBody):
    channel = serializers.ChoiceField(choices=Channel.values)

    example = {"channel": "email"}


class Verification(VerificationRequest):
    code = SentCode(help_text=_SIX_DIGITS)

    example = {"channel": "email", "code": "048213"}


class CodeAnswer(ResponseBody):
    expires_in = serializers.IntegerField(help_text="Lifetime of the code in seconds.")
    debug_code = serializers.RegexField(
        SIX_DIGITS, required=False, help_text="The code itself; only with `DEBUG=true`."
    )

    example = {"expires_in": int(CODE_LIFE.total_seconds())}


def sent_code(code: str) -> dict[str, Any]:
    """Return the values of a `CodeAnswer`; they are the same whether or not a code was sent."""
    values = {"expires_in": int(CODE_LIFE.total_seconds())}
    return {**values, "debug_code": code} if settings.DEBUG else values
