"""The JSON log: what the line of a request says, and what no line contains."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.tools import PASSWORD, Api
from authsvc.observability.json_records import JSONFormatter
from authsvc.tests.test_logs import REQUEST, CapturedStream, crash, quarter_second, trusted_proxy, written_log

__all__ = ["crash", "quarter_second", "trusted_proxy"]

pytestmark = pytest.mark.any_database

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class CapturedLog:
    def __init__(self, written: CapturedStream) -> None:
        self.written = written

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[CapturedLog]:
    """What the configured handler writes in this format."""
    with written_log(JSONFormatter()) as written:
        yield CapturedLog(written)


@pytest.mark.usefixtures("trusted_proxy", "quarter_second")
def test_a_request_is_one_object(alice: User, log: CapturedLog) -> None:
    token = Api().tokens()["access_token"]
    with time_machine.travel("2036-05-04T03:02:01.5Z", tick=False):
        Api().get("users/77", token, **{"X-Request-ID": REQUEST, "traceparent": TRACE})
    assert log.lines[-1] == {
        "time": "2036-05-04T03:02:01.500Z",
        "level": "INFO",
        "logger": "authsvc.access",
        "message": "GET /api/auth/users/<int:user_id> 401",
        "request_id": REQUEST,
        "contract": "native",
        "operation": "users/{user_id}",
        "status": 401,
        "duration": 0.25,
        "user_id": None,
        "traceparent": TRACE,
    }


def test_a_login_and_what_its_token_does_name_the_user(alice: User, log: CapturedLog) -> None:
    Api().get("me", Api().tokens()["access_token"])
    Client().get("/healthz")
    found = [(line["contract"], line["operation"], line["user_id"]) for line in log.lines]
    assert found == [("native", "login", alice.pk), ("native", "me", alice.pk), ("none", "healthz", None)]


@pytest.mark.parametrize(
    "header",
    [
        f"{TRACE[:-2]}zz",
        TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        TRACE.replace("00f067aa0ba902b7", "0" * 16),
        f"ff{TRACE[2:]}",
        'x"y',
    ],
)
def test_a_malformed_traceparent_is_not_logged(header: str, log: CapturedLog) -> None:
    Client().get("/healthz", headers={"traceparent": header})
    assert [line.get("traceparent") for line in log.lines] == [None]


def test_no_path_query_or_header_of_a_client_is_in_its_line(log: CapturedLog) -> None:
    Client().get("/api/auth/a-token-in-the-path?token=in-the-query", headers={"Authorization": "Bearer in-the-header"})
    (line,) = log.lines
    assert (line["message"], line["operation"]) == ("GET /api/auth/ 404", "none")
    assert [word for word in ("in-the-path", "in-the-query", "in-the-header") if word in str(line)] == []


@pytest.mark.usefixtures("crash", "trusted_proxy")
def test_a_crash_has_its_traceback_in_the_same_object(alice: User, log: CapturedLog) -> None:
    Api().post("login", {"username": "alice", "password": PASSWORD}, **{"X-Request-ID": REQUEST})
    failed, _access = log.lines
    assert (failed["message"], failed["request_id"]) == ("POST /api/auth/login failed", REQUEST)
    assert failed["exception"].splitlines()[-1] == "ZeroDivisionError: The text of it."
    assert PASSWORD not in log.written.getvalue()


@pytest.mark.django_db
def test_an_absent_database_takes_few_bytes_of_the_log(log: CapturedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**kwargs: object) -> None:
        raise OperationalError("connection refused\nDETAIL: Key (email)=(a@b.example) …")

    monkeypatch.setattr("accounts.services.sign_in.identify", fail)
    assert Api().post("login", {"username": "alice", "password": PASSWORD}).status_code == 503
    failed, _access = log.lines
    assert failed["message"] == "POST /api/auth/login failed: OperationalError: connection refused"
    assert len(log.written.getvalue()) < 1000


@pytest.mark.django_db
def test_a_crash_of_a_page_is_logged_once(
    settings: Settings, log: CapturedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("authsvc.endpoints.readiness.check", fail)
    Client(raise_request_exception=False).get("/readyz")
    assert [line["logger"] for line in log.lines] == ["django.request", "authsvc.access"]
    assert log.lines[0]["exception"].endswith("ZeroDivisionError")
