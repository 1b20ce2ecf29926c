"""Refused requests: the answer is always problem details (RFC 9457)."""

from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.tools import Api
from audit.models import LoginAttempt

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

VERBS = ["register", "login", "refresh"]


def summary(response: Any) -> tuple[int, str, str]:
    assert response["X-Request-ID"]
    return response.status_code, response["Content-Type"], response.json()["code"]


def problem(status: int, code: str) -> tuple[int, str, str]:
    return status, "application/problem+json", code


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("value", [None, 1, "\ud800"], ids=repr)
def test_a_field_of_another_type_is_invalid_input(api: Api, verb: str, value: Any) -> None:
    body = {"username": value, "password": value, "refresh_token": value, "email": value}
    assert summary(api.post(verb, body)) == problem(400, "invalid_input")


@pytest.mark.parametrize("verb", VERBS)
def test_a_missing_body_misses_every_field(api: Api, verb: str) -> None:
    assert summary(api.post(verb, b"")) == problem(400, "invalid_input")


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=0", "not a media type"])
def test_accept_is_ignored(api: Api, accept: str) -> None:
    assert summary(api.get("me", Accept=accept)) == problem(401, "token_missing")


@pytest.mark.parametrize("path", ["/api/auth/login/", "/api/auth/", "/api/schema/", "/elsewhere/"])
def test_a_slash_at_the_end_of_a_path_is_named(api: Api, path: str) -> None:
    response = api.call("POST", path, {})
    assert summary(response) == problem(404, "not_found")
    assert response.json()["detail"] == "No path has a slash at its end. Remove it."


def test_a_format_in_the_query_is_ignored(api: Api) -> None:
    assert summary(api.get("me?format=xml")) == problem(401, "token_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "login"),
        ("GET", "logout"),
        ("PUT", "register"),
        ("DELETE", "me"),
        ("POST", "me"),
        ("OPTIONS", "login"),
        ("OPTIONS", "users"),
        ("DELETE", "login-attempts"),
        ("TRACE", "login"),
        ("PROPFIND", "me"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_not_allowed(api: Api, method: str, path: str) -> None:
    response = api.call(method, f"/api/auth/{path}")
    assert summary(response) == problem(405, "method_not_allowed")
    assert response["Allow"]


@pytest.mark.parametrize(
    "path",
    ["/api/auth/nothing", "/api/auth/", "/api/auth/login/", "/api/auth/login/x", "/nothing", "/", "/api", "/api/auth"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_not_found_and_never_redirects(api: Api, method: str, path: str) -> None:
    assert summary(api.call(method, path, {})) == problem(404, "not_found")


def test_a_crash_reveals_nothing(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**kwargs: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("accounts.services.sign_in.identify", crash)
    response = api.login()
    assert response.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "An internal error occurred. Report it with the request id.",
        "code": "internal_error",
    }


def test_a_database_that_does_not_answer_is_unavailable(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**kwargs: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("accounts.services.sign_in.identify", gone)
    response = api.login()
    assert (summary(response), response["Retry-After"]) == (problem(503, "unavailable"), "5")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("ward-7.request_1", True), ("x" * 65, False), ("short", False), ("a\nb-12345678", False), ("<script>123", False)],
)
def test_a_request_keeps_the_id_of_a_trusted_proxy_if_it_is_safe_to_log(
    api: Api, given: str, kept: bool, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    answered = api.get("me", **{"X-Request-ID": given})["X-Request-ID"]
    assert (answered == given) is kept


def test_the_request_id_of_a_client_is_not_taken(api: Api, alice: User) -> None:
    answers = [api.login(password="Wrong-horse-8"), api.login(password="Wrong-horse-8")]
    answers += [api.post("login", {"username": "alice", "password": "x"}, **{"X-Request-ID": "ward-7.request_1"})]
    given = [answer["X-Request-ID"] for answer in answers]
    assert list(LoginAttempt.objects.order_by("id").values_list("request_id", flat=True)) == given
    assert len(set(given) - {"ward-7.request_1"}) == 3


def test_a_forged_forwarding_header_changes_nothing(api: Api, alice: User) -> None:
    answers = [
        api.post("login", {"username": "alice", "password": "wrong"}, **{"X-Forwarded-For": f"203.0.113.{n}"})
        for n in range(6)
    ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
