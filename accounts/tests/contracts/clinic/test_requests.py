"""Refused requests: the answer always has the shape of the document's framework."""

from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import User
from accounts.policies import LONGEST_WAIT
from accounts.tests.contracts.clinic.tools import answered, login
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]


@pytest.mark.parametrize("field", ["email", "old_password", "new_password"])
@pytest.mark.parametrize("value", [None, 1, "\ud800"], ids=repr)
def test_a_reset_with_a_field_of_another_type(api: Api, field: str, value: Any) -> None:
    body = {"email": "a@b.cn", "old_password": "x", "new_password": "Secret123", field: value}
    assert answered(api.post("reset-password", body))[0] == 400


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
def test_a_failure_reveals_nothing(
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
