"""Fields that take a value of their own type, or none."""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from accounts.policies import LONGEST_PASSWORD

_UNSTORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")


class Text(serializers.CharField):
    """A JSON string, exactly as sent; a number or a truth value is refused, not turned into one."""

    # What the service's description says of the string beside its length.
    openapi: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Password(Text):
    """A password: never trimmed, never cut, and refused before it is hashed where it is too long."""

    openapi = {"format": "password"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": LONGEST_PASSWORD, **kwargs})


class Email(Text):
    """An e-mail address; the verb that takes it says whether it is one."""

    openapi = {"format": "email"}


class JSONObject(serializers.JSONField):
    """A JSON object that every database can hold: no NUL and no lone surrogate in it, at any depth."""

    openapi: ClassVar[Mapping[str, Any]] = {"type": "object"}

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not isinstance(value, dict) or _UNSTORABLE.search(json.dumps(value, ensure_ascii=False)):
            self.fail("invalid")
        return value


class Anything(serializers.JSONField):
    """Whatever JSON has, null too; the verb that takes it says what it is good for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)


class Null(serializers.JSONField):
    """Nothing but null, for the description of answers that have a field and nothing in it."""

    openapi: ClassVar[Mapping[str, Any]] = {"type": "null"}
