"""A response body is declared once: its declaration renders it and gives its example."""

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from accounts.contracts.fields import AccessToken, Constant, Message, NullableText, PhoneNumber
from accounts.contracts.serializers import Envelope, ResponseBody

pytestmark = pytest.mark.any_database


class User(ResponseBody):
    user_id = serializers.IntegerField(source="id")
    kind = Constant("user")
    city = serializers.CharField(source="address.city")
    avatar = NullableText()
    phone = PhoneNumber()
    note = serializers.CharField(required=False)

    example = {"user_id": 7, "city": "上海"}


class LoginData(ResponseBody):
    message = Message("Welcome")
    token = AccessToken()
    user = User()
    others = User(many=True)

    example = {"token": "eyJ"}


class Success(Envelope):
    success = Constant(True)
    message = serializers.CharField()


class Done(Success):
    message = Message("Done")


ALICE = SimpleNamespace(
    id=7, address=SimpleNamespace(city="上海"), avatar="", phone="+8613800138000", note="a", password="secret"
)
BODY = {"user_id": 7, "kind": "user", "city": "上海", "avatar": None, "phone": "13800138000", "note": "a"}
EXAMPLE = {"user_id": 7, "kind": "user", "city": "上海", "avatar": None, "phone": None}


def test_an_object_is_rendered_in_the_order_of_the_declaration() -> None:
    assert list(User.render(ALICE).items()) == list(BODY.items())


@pytest.mark.parametrize(("note", "rendered"), [({"note": "b"}, {"note": "b"}), ({}, {}), ({"other": 1}, {})])
def test_a_mapping_is_rendered_without_what_is_missing_or_not_declared(
    note: dict[str, Any], rendered: dict[str, Any]
) -> None:
    values = {"id": 7, "address.city": "上海", "avatar": "x", "phone": None, **note}
    assert User.render(values) == {**EXAMPLE, "avatar": "x", **rendered}


def test_a_required_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="id"):
        User.render({})


def test_nested_bodies_and_rows_are_rendered() -> None:
    session = SimpleNamespace(token="t", user=ALICE, others=[ALICE])
    expected = {"message": "Welcome", "token": "t", "user": BODY, "others": [BODY]}
    assert list(LoginData.render(session).items()) == list(expected.items())


def test_the_envelope_surrounds_the_data_with_the_message_of_the_operation() -> None:
    body = Success.of(User, "Found")
    assert list(body.render(ALICE).items()) == [("success", True), ("message", "Found"), ("data", BODY)]


def test_a_success_may_have_no_data() -> None:
    assert Done.render(None) == {"success": True, "message": "Done"}


def test_the_body_in_an_envelope_is_made_once_and_named_after_its_data() -> None:
    assert Success.of(LoginData, "Hello") is Success.of(LoginData, "Hello")
    assert Success.of(LoginData, "Hello").__name__ == "LoginAnswer"


def test_the_example_derives_constants_empty_values_and_nested_bodies() -> None:
    assert User.example == EXAMPLE
    data = {"message": "Welcome", "token": "eyJ", "user": EXAMPLE, "others": [EXAMPLE]}
    assert Success.of(LoginData, "Hello").example == {"success": True, "message": "Hello", "data": data}


def test_to_render_instantiates_no_serializer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(serializers.BaseSerializer, "__init__")
    monkeypatch.delattr(serializers.BaseSerializer, "__new__")
    assert User.render(ALICE) == BODY
