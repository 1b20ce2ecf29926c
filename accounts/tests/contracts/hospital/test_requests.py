"""Refused requests: the answer is always in the document's envelope."""

from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import User
from accounts.policies import LONGEST_WAIT
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]


def said(response: Any) -> tuple[int, str]:
    body = response.json()
    assert body == {"success": False, "message": body["message"]}
    assert response["Content-Type"] == "application/json"
    assert response["X-Request-ID"]
    return response.status_code, body["message"]


@pytest.mark.parametrize("field", ["username", "password", "email", "full_name", "role", "department", "phone"])
def test_a_field_of_another_type_is_invalid(api: Api, field: str) -> None:
    body = {"username": "carol", "password": "Secret123", "email": "c@b.cn", "full_name": "C", field: ["x"]}
    status, message = said(api.post("register", body))
    assert (status, message.split(": ")[0]) == (400, f"Field {field} is invalid")


@pytest.mark.parametrize("value", [None, 1, "\x00"], ids=repr)
def test_a_login_with_a_field_of_another_type(api: Api, value: Any) -> None:
    for body in ({"username": value, "password": "x"}, {"username": "x", "password": value}):
        assert said(api.post("login", body)) == (400, "Username and password are required")


@pytest.mark.parametrize("field", ["full_name", "email", "department", "phone", "avatar_url", "password"])
@pytest.mark.parametrize("value", [0, "x" * 1000], ids=lambda value: repr(value)[:9])
def test_a_profile_with_a_field_of_another_type(api: Api, alice: User, field: str, value: Any) -> None:
    token = api.login().json()["data"]["token"]
    status, message = said(api.call("PUT", "/hospital/api/auth/profile", {field: value}, token))
    assert (status, message.split(": ")[0]) == (400, f"Field {field} is invalid")


@pytest.mark.parametrize(("method", "path"), [("GET", "login"), ("POST", "profile"), ("DELETE", "users"), ("PUT", "x")])
def test_an_unknown_path_and_a_wrong_method(api: Api, method: str, path: str) -> None:
    answer = (404, "Not found") if path == "x" else (405, "Method not allowed")
    assert said(api.call(method, f"/hospital/api/auth/{path}")) == answer


@pytest.mark.parametrize("path", ["", "login/", "users/1", "profile/x"])
def test_a_path_with_something_behind_it_is_not_found(api: Api, path: str) -> None:
    assert said(api.get(path)) == (404, "Not found")


def test_accept_is_ignored(api: Api) -> None:
    assert said(api.get("profile", Accept="text/html")) == (401, "Token is missing")


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ZeroDivisionError("a secret"), (500, "Internal server error")),
        (OperationalError("a secret"), (503, "Service is unavailable, try again in a moment")),
        (Overloaded(LONGEST_WAIT), (503, "Service is busy, try again in a moment")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_reveals_nothing(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception, answer: tuple[int, str]
) -> None:
    def fail(**kwargs: object) -> None:
        raise error

    monkeypatch.setattr("accounts.services.sign_in.identify", fail)
    response = api.login()
    assert said(response) == answer
    assert response.has_header("Retry-After") is (answer[0] == 503)


def test_plain_http_is_refused_where_https_is_required(api: Api, settings: Settings) -> None:
    settings.REQUIRE_HTTPS = True
    assert said(api.login()) == (426, "HTTPS is required")
