"""What `check --deploy` says of this service's own: each of it by its id, and only where it is due."""

import secrets
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from authsvc.checks import is_guessable
from authsvc.tests.test_env import KEY

pytestmark = pytest.mark.any_database

GOOD_KEY = "9fK2-vQz7Lm_Xc4Rb8Tn1Wd6Hs3Jp5YgEuAoIiOeUaMqZwVx"


@pytest.fixture(autouse=True)
def _production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from a deployment that there is nothing to say of."""
    settings.DEBUG = False
    settings.SECRET_KEY = KEY
    settings.JWT_KEYS = {"hospital": GOOD_KEY}
    settings.PROFILE = "hardened"
    settings.REQUIRE_HTTPS = True
    settings.TRUSTED_PROXIES = 1
    settings.WEB_CONCURRENCY = 2
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    monkeypatch.setattr("authsvc.checks.connection", SimpleNamespace(vendor="sqlite"))
    monkeypatch.setattr("os.cpu_count", lambda: 8)


def said() -> Iterator[Any]:
    return (message for message in run_checks(include_deployment_checks=True) if str(message.id).startswith("authsvc"))


def ids() -> list[str]:
    return [str(message.id) for message in said()]


def test_of_a_good_deployment_nothing_is_said() -> None:
    assert ids() == []


def test_without_deploy_nothing_is_said(settings: Settings) -> None:
    settings.PROFILE = "documented"
    assert [message for message in run_checks() if str(message.id).startswith("authsvc")] == []


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"SECRET_KEY": "change-me-please-change-me-please-change-me-please-0"}, "W001"),
        ({"JWT_KEYS": {"hospital": "h" * 48}}, "W001"),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.example", "http://b.example"]}, "W002"),
        ({"PROFILE": "documented"}, "W003"),
        ({"WEB_CONCURRENCY": 5}, "W004"),
        ({"TRUSTED_PROXIES": 0}, "I001"),
    ],
    ids=str,
)
def test_what_an_operator_should_know_has_an_id_and_a_hint(
    settings: Settings, changes: dict[str, Any], number: str
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    (message,) = said()
    assert (message.id, bool(message.hint)) == (f"authsvc.{number}", True)


def test_more_processes_than_cores_are_w005(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert ids() == ["authsvc.W005"]


def test_on_a_closed_network_there_is_no_https_to_ask_for(settings: Settings) -> None:
    settings.REQUIRE_HTTPS = False
    settings.CORS_ALLOWED_ORIGINS = ["http://b.example"]
    settings.TRUSTED_PROXIES = 0
    assert ids() == []


def test_another_database_than_sqlite_takes_more_processes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEB_CONCURRENCY = 8
    monkeypatch.setattr("authsvc.checks.connection", SimpleNamespace(vendor="postgresql"))
    assert ids() == []


def test_a_key_is_not_shown(settings: Settings) -> None:
    settings.JWT_KEYS = {"portal": "hospital-secret-key-2024-for-signing"}
    (message,) = said()
    assert "2024" not in f"{message.msg}{message.hint}"
    assert message.msg.startswith("PORTAL_JWT_KEY can be guessed")


@pytest.mark.parametrize(
    "key",
    [
        "x" * 48,
        "abcdefgh" * 6,
        "0123456789abcdef" * 3,
        "your-256-bit-secret-your-256-bit-s",
        "Change_This_Key_In_Production_2024!!",
        "药" * 16,
    ],
)
def test_a_key_that_somebody_made_up_can_be_guessed(key: str) -> None:
    assert is_guessable(key)


def test_a_random_key_cannot_be_guessed() -> None:
    assert not any(is_guessable(make(48)) for make in (secrets.token_urlsafe, secrets.token_hex) for _ in range(200))
