"""The texts on the wire do not depend on the version of Python."""

from importlib import import_module
from io import BytesIO

import pytest
from django.conf import settings
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.contracts.base import Contract
from accounts.contracts.http_status import REASON_PHRASES
from accounts.contracts.parsing import MalformedBody, StrictJSONParser

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("body", "position"),
    [
        ("{", "line 1, column 2"),
        ('{"a": 1,}', "line 1, column 8"),
        ('{"a": 1 , \n }', "line 1, column 9"),
        ('{"a": [1,]}', "line 1, column 9"),
        ('{"a": [,]}', "line 1, column 8"),
        ('{"a": 1 "b": 2}', "line 1, column 9"),
        ('{\n "a": tru\n}', "line 2, column 7"),
        ('{"a": "\n"}', "line 1, column 8"),
        ("{}\n{}", "line 2, column 1"),
    ],
)
def test_a_syntax_error_in_json_is_reported_by_its_position(body: str, position: str) -> None:
    request = Request(APIRequestFactory().post("/", body, content_type="application/json"))
    with pytest.raises(MalformedBody) as raised:
        StrictJSONParser().parse(BytesIO(body.encode()), parser_context={"request": request})
    assert str(raised.value.message) == f"The body is not JSON: syntax error at {position}."


@pytest.mark.parametrize("name", settings.CONTRACT_MOUNTS)
def test_every_status_of_an_error_has_a_reason_phrase(name: str) -> None:
    contract: Contract = import_module(f"accounts.contracts.{name}.contract").CONTRACT
    assert {error.status for error in contract.errors.values()} <= set(REASON_PHRASES)


def test_the_phrases_that_python_changed_are_those_of_before() -> None:
    assert (REASON_PHRASES[413], REASON_PHRASES[422]) == ("Request Entity Too Large", "Unprocessable Entity")
