"""Whatever is sent, the answer has the shape of the document's framework, and never a 500."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import User
from accounts.policies import LONGEST_WAIT
from accounts.tests.contracts.clinic.tools import answered, login
from accounts.tests.tools import Api

pytestmark = pytest.mark.django_db

VERBS = ["register", "login", "reset_password"]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'{"email": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 50_000, b'{"a": 1e999}'],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_not_a_json_object(api: Api, verb: str, body: bytes) -> None:
    assert answered(api.post(verb, body)) == (400, "The body is not JSON.")


@pytest.mark.parametrize("field", ["email", "old_password", "new_password"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, "\ud800", "\x00", "a\ud800@b.cn"], ids=repr)
def test_a_reset_with_a_field_of_another_type(api: Api, field: str, value: Any) -> None:
    body = {"email": "a@b.cn", "old_password": "x", "new_password": "Secret123", field: value}
    assert answered(api.post("reset-password", body))[0] == 400


def test_a_body_that_is_too_large(api: Api) -> None:
    assert answered(api.post("login", b" " * 200_000)) == (413, "The body is too large.")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type(client: Client, content_type: str) -> None:
    response = client.generic("POST", "/api/users/login", b"{}", content_type=content_type)
    assert answered(response) == (415, "Unsupported Media Type")


@pytest.mark.parametrize(("method", "path"), [("GET", "login"), ("POST", "me"), ("PUT", "reset-password")])
def test_a_method_that_a_path_does_not_have(api: Api, method: str, path: str) -> None:
    response = api.call(method, f"/api/users/{path}")
    assert answered(response) == (405, "Method Not Allowed")
    assert response["Allow"]


@pytest.mark.parametrize("path", ["", "x", "login/", "me/x", "refresh-token"])
def test_an_unknown_path(api: Api, path: str) -> None:
    assert answered(api.get(path)) == (404, "Not Found")


def test_accept_is_ignored(api: Api) -> None:
    assert answered(api.get("me", Accept="text/html")) == (401, "Not authenticated")


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ZeroDivisionError("a secret"), (500, "Internal Server Error")),
        (OperationalError("a secret"), (503, "The service is unavailable. Try again in a moment.")),
        (Overloaded(LONGEST_WAIT), (503, "The service is busy. Try again in a moment.")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_says_nothing_of_itself(
    alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception, answer: tuple[int, str]
) -> None:
    def fail(**kwargs: object) -> None:
        raise error

    monkeypatch.setattr("accounts.services.sign_in.identify", fail)
    response = login()
    assert answered(response) == answer
    assert response.has_header("Retry-After") is (answer[0] == 503)


def test_plain_http_is_refused_where_https_is_required(settings: Settings) -> None:
    settings.REQUIRE_HTTPS = True
    assert answered(login()) == (426, "HTTPS is required.")
