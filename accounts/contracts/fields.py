"""The fields that several contracts have in their bodies, for REST framework's serializers."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from accounts import names
from accounts.policies import LONGEST_PASSWORD, LONGEST_PROFILE, TOTP_DIGITS

_DIGITS: Final = f"[0-9]{{{TOTP_DIGITS}}}"
_RECOVERY_CODE: Final = "[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}"
SIX_DIGITS: Final = f"^{_DIGITS}$"
# Longer than any code of a second factor with separators.
_LONGEST_CODE: Final = 64
_UNSTORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")

# Of a field for the password in a contract that has none for the code of a second factor.
CODE_FOLLOWS: Final = "If the account has an authenticator app, the six digits that it shows follow the password."


class _SurrogatesProhibited(ProhibitSurrogateCharactersValidator):
    """The same; REST framework's looks at each character, also of a token of hundreds that are all ASCII."""

    def __call__(self, value: object) -> None:
        if not str(value).isascii():
            super().__call__(value)


class StrictCharField(serializers.CharField):
    """A JSON string, exactly as sent; a number or a boolean is refused, not converted."""

    # What the OpenAPI description says of the string beside its length.
    openapi: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        self.validators = [
            _SurrogatesProhibited() if isinstance(each, ProhibitSurrogateCharactersValidator) else each
            for each in self.validators
        ]

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Password(StrictCharField):
    """A password: never trimmed or truncated, and refused before it is hashed if it is too long."""

    openapi = {"format": "password"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_PASSWORD, **kwargs})


class PasswordWithCode(Password):
    """The password of a login whose client has no field for the code of a second factor: the code follows it."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = f"Leading and trailing spaces are part of it. {CODE_FOLLOWS}"
        super().__init__(max_length=LONGEST_PASSWORD + TOTP_DIGITS, help_text=help_text, **kwargs)


class Email(StrictCharField):
    """An e-mail address; the service that takes it validates it."""

    openapi = {"format": "email"}


class JSONObject(serializers.JSONField):
    """A JSON object that every database can store: no NUL and no lone surrogate in it, at any depth.

    As JSON without optional white space, in UTF-8, it has at most LONGEST_PROFILE bytes.
    """

    openapi: ClassVar[Mapping[str, Any]] = {"type": "object", "additionalProperties": True}
    default_error_messages = {"max_bytes": _("Ensure this value has at most {most} bytes as JSON.")}

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if not isinstance(value, dict) or _UNSTORABLE.search(text):
            self.fail("invalid")
        if len(text.encode()) > LONGEST_PROFILE:
            self.fail("max_bytes", most=f"{LONGEST_PROFILE:,}")
        return value


class UnvalidatedJSONObject(serializers.JSONField):
    """A JSON object; the service that takes it validates what is in it."""

    openapi: ClassVar[Mapping[str, Any]] = {"type": "object", "additionalProperties": True}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("invalid")
        return data


class SentCode(serializers.JSONField):
    """The six digits of a message. Any other JSON value, null included, counts as a wrong code."""

    openapi: ClassVar[Mapping[str, Any]] = {"type": "string", "pattern": SIX_DIGITS}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)


class TotpCode(StrictCharField):
    """The six digits of an authenticator app."""

    openapi = {"pattern": SIX_DIGITS}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=_LONGEST_CODE, **kwargs)


class FactorCode(StrictCharField):
    """The six digits of an authenticator app, or a recovery code with hyphens or without."""

    openapi = {"pattern": rf"^({_DIGITS}|{_RECOVERY_CODE})$"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=_LONGEST_CODE, **kwargs)


class OptionalFactorCode(FactorCode):
    """The code of a second factor, or nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, **kwargs)


class Null(serializers.JSONField):
    """Only null, for error bodies that have a field without a value."""

    openapi: ClassVar[Mapping[str, Any]] = {"type": "null"}


class Constant(serializers.ChoiceField):
    """A field of a response that always has this value."""

    def __init__(self, value: Any, **kwargs: Any) -> None:
        super().__init__(choices=[value], **kwargs)
        self.value = value


class Message(serializers.CharField):
    """A message of a response. It is described as any string, because clients must not rely on its wording."""

    def __init__(self, value: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value = value


class ConvertedField(ABC):
    """A field of a response that converts the value of its source.

    A field of any other class has the value of its source, which the renderer encodes.
    """

    @abstractmethod
    def convert(self, value: Any) -> Any:
        """Return what the body has for the source's value, which may be None."""


class NullableText(ConvertedField, serializers.CharField):
    """A text that is null where it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def convert(self, value: str | None) -> str | None:
        return value or None


class PhoneNumber(NullableText):
    """A phone number as it is written in the deployment's region, or null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"help_text": "Numbers of mainland China have no country code.", **kwargs})

    def convert(self, value: str | None) -> str | None:
        return names.display_phone(value or None)


class AccessToken(serializers.CharField):
    """An access token."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="Send it as `Authorization: Bearer <token>`.", **kwargs)
