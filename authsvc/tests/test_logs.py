"""The text log: what a line says, and what nobody can make it say."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from unittest import mock

import pytest
import time_machine
from gunicorn.config import Config
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent
from authsvc.observability.gunicorn_logger import ErrorLogger
from authsvc.observability.request_reports import reports
from authsvc.tests.test_deployment import PRODUCTION, manage

pytestmark = pytest.mark.any_database

REQUEST = "ward-7.request_1"
# Every place that the loggers of a serving process write to.
# pyasn1 has a handler of its own, which writes in its debug mode alone.
DESTINATIONS = """
import logging
loggers = [logging.root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
handlers = [handler for logger in loggers if logger.name != "pyasn1" for handler in logger.handlers]
handlers = [handler for handler in handlers if not isinstance(handler, logging.NullHandler)]
print({(handler.stream.name, type(handler.formatter).__name__) for handler in handlers})
"""


class CapturedStream(io.StringIO):
    """What a handler has written, the requests that are still to be reported included."""

    def getvalue(self) -> str:
        reports.flush()
        return super().getvalue()


@contextmanager
def written_log(formatter: logging.Formatter | None = None) -> Iterator[CapturedStream]:
    """Yield what the configured handler writes, in its own format or another."""
    handler = next(handler for handler in logging.root.handlers if type(handler) is logging.StreamHandler)
    reports.flush()
    written, former = CapturedStream(), handler.formatter
    before = handler.setStream(written)
    handler.setFormatter(formatter or former)
    yield written
    handler.setStream(before)
    handler.setFormatter(former)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with written_log() as written:
        yield written


@pytest.fixture
def trusted_proxy(settings: Settings) -> None:
    """A proxy sets the id of each request."""
    settings.TRUSTED_PROXIES = 1


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**kwargs: object) -> None:
        raise ZeroDivisionError("The text of it.")

    monkeypatch.setattr("accounts.services.sign_in.identify", fail)


@pytest.fixture
def quarter_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request takes this long."""
    ticks = count(0, 0.25)
    monkeypatch.setattr("authsvc.middleware.access_log.time.perf_counter", lambda: next(ticks))


@pytest.mark.usefixtures("trusted_proxy", "quarter_second")
def test_a_refused_request_is_a_line_in_utc_with_the_request_id(log: io.StringIO) -> None:
    with time_machine.travel("2026-05-04T03:02:01.5Z", tick=False):
        Api().get("me", **{"X-Request-ID": REQUEST})
    assert log.getvalue() == (
        f"2026-05-04T03:02:01.500Z INFO authsvc.access [{REQUEST}] GET /api/auth/me 401"
        " contract=native operation=me status=401 duration=0.25\n"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (f"multipart/form-data; boundary={'secret' * 50}", "x"),
        ("application/x-www-form-urlencoded", "&".join(["secret=1"] * 1_001)),
    ],
    ids=["boundary", "fields"],
)
def test_a_form_that_cannot_be_read_is_one_line_without_its_text(
    log: io.StringIO, content_type: str, body: str
) -> None:
    assert Api().client.post("/password", body, content_type=content_type).status_code == 400
    assert [line.split()[2] for line in log.getvalue().splitlines()] == ["authsvc.access"]
    assert "secret" not in log.getvalue()


@pytest.mark.parametrize("char", ["\n", "\r", "\u2028", "\u202e", "\x1b", "\ud800"], ids=ascii)
def test_request_data_cannot_forge_a_line(log: io.StringIO, char: str) -> None:
    logging.getLogger("accounts").error("%s failed", f"/a{char}b")
    assert log.getvalue().endswith(f" ERROR accounts [-] /a\\u{ord(char):04x}b failed\n")


def test_no_line_of_a_traceback_looks_like_a_line_of_the_log(log: io.StringIO) -> None:
    try:
        raise ZeroDivisionError("a\nb\u202ec")
    except ZeroDivisionError:
        logging.getLogger("accounts").exception("failed")
    first, *others = log.getvalue().splitlines()
    assert first.endswith(" ERROR accounts [-] failed")
    assert others[-2:] == ["    ZeroDivisionError: a", "    b\\u202ec"]
    assert all(line.startswith("    ") for line in others)


@pytest.mark.usefixtures("crash", "trusted_proxy")
def test_a_crash_is_logged_with_its_request_id(alice: User, log: io.StringIO) -> None:
    Api().post("login", {"username": "alice", "password": PASSWORD}, **{"X-Request-ID": REQUEST})
    first, *others = log.getvalue().splitlines()
    assert first.endswith(f" ERROR accounts.contracts.viewsets [{REQUEST}] POST /api/auth/login failed")
    assert "    ZeroDivisionError: The text of it." in others


@pytest.mark.usefixtures("crash")
def test_the_log_of_a_crash_has_no_password(alice: User, log: io.StringIO) -> None:
    Api().login()
    assert "ZeroDivisionError" in log.getvalue()
    assert PASSWORD not in log.getvalue()


def test_neither_the_log_nor_the_trail_has_a_password_or_a_token(alice: User, log: io.StringIO) -> None:
    api = Api()
    api.login(password="Wrong-horse-8")
    tokens = api.tokens()
    fresh = api.post("refresh", {"refresh_token": tokens["refresh_token"]}).json()
    api.post(
        "change-password", {"old_password": "Wrong-horse-9", "new_password": "New-horse-10"}, fresh["access_token"]
    )
    api.post("logout", token=fresh["access_token"])
    api.get("me", fresh["access_token"])
    kept = log.getvalue() + repr([*LoginAttempt.objects.values(), *SecurityEvent.objects.values()])
    secrets = [PASSWORD, "Wrong-horse-8", "Wrong-horse-9", "New-horse-10"]
    secrets += [pair[name] for pair in (tokens, fresh) for name in ("access_token", "refresh_token")]
    assert "GET /api/auth/me 401" in kept
    assert "session:ended" in kept
    assert [secret for secret in secrets if secret in kept] == []


@pytest.mark.parametrize(
    ("variables", "formatter"), [({}, "JSONFormatter"), ({"LOG_FORMAT": "text"}, "LineFormatter")], ids=str
)
def test_the_log_goes_to_the_standard_error_stream_alone(variables: dict[str, str], formatter: str) -> None:
    done = manage("shell", "--no-imports", "-v0", "-c", DESTINATIONS, **PRODUCTION, **variables)
    assert done.stdout == f"{{('<stderr>', '{formatter}')}}\n", done.stderr


@pytest.mark.usefixtures("trusted_proxy", "quarter_second")
def test_a_forbidden_request_is_a_line_with_the_user(alice: User, log: io.StringIO) -> None:
    Api().get("users", Api().tokens()["access_token"], **{"X-Request-ID": REQUEST})
    assert log.getvalue().endswith(
        f" INFO authsvc.access [{REQUEST}] GET /api/auth/users 403"
        f" contract=native operation=users status=403 duration=0.25 user_id={alice.pk}\n"
    )


def test_gunicorn_composes_no_line_of_a_request_that_the_service_logs() -> None:
    config = Config()
    config.set("accesslog", os.devnull)
    logger = ErrorLogger(config)
    logger.access_log = mock.Mock()
    logger.access(mock.Mock(status="200 OK"), mock.Mock(headers=[]), {}, timedelta())
    assert logger.access_log.info.mock_calls == []
