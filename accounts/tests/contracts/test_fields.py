"""The fields that the contracts' bodies are made of: shared code, tested once."""

from typing import Any

import pytest
from rest_framework.serializers import ValidationError

from accounts.contracts.fields import JSONObject, Password, StrictCharField
from accounts.policies import LONGEST_PASSWORD

pytestmark = pytest.mark.any_database

OTHER_TYPES = [None, 1, 0, True, False, 1.5, [], ["x"], {}, {"a": 1}]
NOT_STORABLE = ["\x00", "a\x00b", "\ud800", "a\ud800@b.cn"]


@pytest.mark.parametrize("value", [*OTHER_TYPES, *NOT_STORABLE], ids=repr)
def test_a_string_takes_neither_another_type_nor_what_no_database_stores(value: Any) -> None:
    with pytest.raises(ValidationError):
        StrictCharField().run_validation(value)


def test_a_string_is_taken_as_it_was_sent() -> None:
    assert StrictCharField().run_validation(" Ａ\t王 ") == " Ａ\t王 "


def test_a_password_is_neither_trimmed_nor_longer_than_the_limit() -> None:
    assert Password().run_validation(" x ") == " x "
    assert Password().run_validation("x" * LONGEST_PASSWORD)
    with pytest.raises(ValidationError):
        Password().run_validation("x" * (LONGEST_PASSWORD + 1))


@pytest.mark.parametrize("value", [None, 1, "x", [], {"a": "\x00"}, {"a": ["\ud800"]}, {"\x00": 1}], ids=repr)
def test_an_object_takes_neither_another_type_nor_what_no_database_stores(value: Any) -> None:
    with pytest.raises(ValidationError):
        JSONObject().run_validation(value)
