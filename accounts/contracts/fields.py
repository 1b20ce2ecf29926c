"""Fields that take a value of their own type, or none."""

from typing import Any

from rest_framework import serializers

from accounts.policies import LONGEST_PASSWORD


class Text(serializers.CharField):
    """A JSON string, exactly as sent; a number or a truth value is refused, not turned into one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Password(Text):
    """A password: never trimmed, never cut, and refused before it is hashed where it is too long."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_PASSWORD, **kwargs)
