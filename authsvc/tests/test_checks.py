"""The system checks of the configuration."""

import secrets
from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import ERROR, run_checks
from pytest_django.fixtures import Settings

from accounts.policies import SHARED_KEYS
from authsvc.configuration.checks import is_guessable
from authsvc.configuration.env import JWT_KEYS, Environment
from authsvc.configuration.startup import run_startup_checks
from authsvc.tests.test_env import KEY

pytestmark = [pytest.mark.any_database, pytest.mark.usefixtures("without_schema_check")]

GOOD_KEY = "9fK2-vQz7Lm_Xc4Rb8Tn1Wd6Hs3Jp5YgEuAoIiOeUaMqZwVx"


@pytest.fixture(autouse=True)
def _production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from a deployment without findings."""
    settings.DEBUG = False
    settings.SECRET_KEY = KEY
    settings.JWT_KEYS = {"hospital": GOOD_KEY}
    settings.AUDIT_KEYS = [GOOD_KEY[::-1]]
    settings.PROFILE = "hardened"
    settings.REQUIRE_HTTPS = True
    settings.TRUSTED_PROXIES = 1
    settings.WEB_CONCURRENCY = 2
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    connection = SimpleNamespace(vendor="sqlite", settings_dict={"NAME": ":memory:"})
    monkeypatch.setattr("authsvc.configuration.checks.connection", connection)
    monkeypatch.setattr("os.cpu_count", lambda: 8)


def messages() -> Iterator[Any]:
    return (message for message in run_checks(include_deployment_checks=True) if str(message.id).startswith("authsvc"))


def ids() -> list[str]:
    return [str(message.id) for message in messages()]


def test_a_good_deployment_has_no_findings() -> None:
    assert ids() == []


def test_warnings_need_deploy(settings: Settings) -> None:
    settings.PROFILE = "documented"
    assert [message for message in run_checks() if str(message.id).startswith("authsvc")] == []


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"SECRET_KEY": "change-me-please-change-me-please-change-me-please-0"}, "W001"),
        ({"JWT_KEYS": {"hospital": "h" * 48}}, "W001"),
        ({"AUDIT_KEYS": [GOOD_KEY, "a" * 48]}, "W001"),
        ({"METRICS_TOKEN": "metrics"}, "W001"),
        ({"AUDIT_KEYS": []}, "I003"),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.example", "http://b.example"]}, "W002"),
        ({"PROFILE": "documented"}, "W003"),
        ({"WEB_CONCURRENCY": 5}, "W004"),
        ({"TRUSTED_PROXIES": 0}, "I001"),
    ],
    ids=str,
)
def test_a_finding_has_an_id_and_a_hint(settings: Settings, changes: dict[str, Any], number: str) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    (message,) = messages()
    assert (message.id, bool(message.hint)) == (f"authsvc.{number}", True)


def test_more_processes_than_cores_are_w005(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert ids() == ["authsvc.W005"]


def test_a_closed_network_needs_no_https(settings: Settings) -> None:
    settings.REQUIRE_HTTPS = False
    settings.CORS_ALLOWED_ORIGINS = ["http://b.example"]
    settings.TRUSTED_PROXIES = 0
    assert ids() == []


def test_other_databases_allow_more_processes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEB_CONCURRENCY = 8
    monkeypatch.setattr("authsvc.configuration.checks.connection", SimpleNamespace(vendor="postgresql"))
    assert ids() == []


@pytest.mark.parametrize(
    ("vendor", "host", "options", "found"),
    [
        ("postgresql", "db.example", {}, ["authsvc.W007"]),
        ("postgresql", "db.example", {"sslmode": "prefer"}, ["authsvc.W007"]),
        ("postgresql", "localhost,10.0.0.7", {}, ["authsvc.W007"]),
        ("postgresql", "db.example", {"sslmode": "verify-full"}, []),
        ("postgresql", "", {}, []),
        ("postgresql", "/run/postgresql", {}, []),
        ("postgresql", "127.0.0.1,::1", {}, []),
        ("mysql", "fd00::7", {}, ["authsvc.W007"]),
        ("mysql", "db.example", {"ssl": {"ca": "/etc/ca.pem"}}, []),
    ],
)
def test_a_remote_database_without_tls_is_w007(
    monkeypatch: pytest.MonkeyPatch, vendor: str, host: str, options: dict[str, Any], found: list[str]
) -> None:
    connection = SimpleNamespace(vendor=vendor, settings_dict={"HOST": host, "OPTIONS": options})
    monkeypatch.setattr("authsvc.configuration.tls_checks.connection", connection)
    assert ids() == found


@pytest.mark.parametrize(
    ("host", "found"), [("127.0.0.1", ["authsvc.W009"]), ("127.0.0.2", []), ("10.0.0.7", ["authsvc.W007"])]
)
def test_a_replica_is_another_server_and_has_tls(monkeypatch: pytest.MonkeyPatch, host: str, found: list[str]) -> None:
    place = {"HOST": "127.0.0.1", "PORT": "5432", "NAME": "authsvc", "OPTIONS": {}}
    for module, alias in product(("checks", "tls_checks"), ("connection", "connections")):
        server = SimpleNamespace(vendor="postgresql", settings_dict=place)
        copy = SimpleNamespace(settings_dict={**place, "HOST": host})
        monkeypatch.setattr(
            f"authsvc.configuration.{module}.{alias}", server if alias == "connection" else {"replica": copy}
        )
    monkeypatch.setattr("audit.replica.is_configured", lambda: True)
    assert ids() == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail.example/?from=a@b.example", ["authsvc.W008"]),
        ("smtp+tls://mail.example/?from=a@b.example", []),
        ("smtp://127.0.0.1/?from=a@b.example", []),
    ],
)
def test_a_remote_mail_server_without_tls_is_w008(settings: Settings, url: str, found: list[str]) -> None:
    settings.EMAIL_URL = url
    assert ids() == found


def test_a_key_is_not_shown(settings: Settings) -> None:
    settings.JWT_KEYS = {"portal": "hospital-secret-key-2024-for-signing"}
    (message,) = messages()
    assert "2024" not in f"{message.msg}{message.hint}"
    assert message.msg.startswith("PORTAL_JWT_KEY is guessable")


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
def test_a_key_that_is_not_random_is_guessable(key: str) -> None:
    assert is_guessable(key)


def test_a_random_key_is_not_guessable() -> None:
    assert not any(is_guessable(make(48)) for make in (secrets.token_urlsafe, secrets.token_hex) for _ in range(200))


def startup_errors() -> list[str]:
    return [
        f"{message.id} {message.msg}"
        for message in run_checks()
        if message.level == ERROR and not message.is_silenced()
    ]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"hospital": "x" * 31}, "authsvc.E009 HOSPITAL_JWT_KEY has 31 bytes and needs 32."),
        ({"union": "药" * 15}, "authsvc.E009 UNION_JWT_KEY has 45 bytes and needs 48."),
    ],
)
def test_a_jwt_key_that_is_shorter_than_its_hash_is_an_error(
    settings: Settings, keys: dict[str, str], error: str
) -> None:
    settings.JWT_KEYS = keys
    assert startup_errors() == [error]


def test_jwt_keys_as_long_as_their_hash_are_valid(settings: Settings) -> None:
    settings.JWT_KEYS = {"hospital": "h" * 32, "union": "药" * 16, "portal": "p" * 32, "clinic": "c" * 32}
    assert startup_errors() == []


def test_every_contract_with_a_shared_key_has_a_variable() -> None:
    assert set(JWT_KEYS.values()) == set(SHARED_KEYS)
    assert JWT_KEYS.keys() <= Environment.model_fields.keys()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("jsons://hunter2@host/sms", "E013 SMS_URL cannot be used: it has no {number} in place of the phone number."),
        (
            "nosuch://hunter2@host/{number}",
            "E013 SMS_URL cannot be used: Apprise cannot read it as a URL of 'nosuch'.",
        ),
        (
            "aliyun://hunter2@host/",
            "E013 SMS_URL cannot be used: aliyun:// needs a key and its secret, a host, ?sign=… and &code=….",
        ),
        (
            "hospital.sms.send",
            "E014 SMS_URL cannot be used: hospital.sms.send cannot be imported (ModuleNotFoundError).",
        ),
    ],
)
def test_an_sms_gateway_that_cannot_be_used_is_an_error(settings: Settings, url: str, error: str) -> None:
    settings.SMS_URL = url
    assert startup_errors() == [f"authsvc.{error}"]


def test_a_role_that_needs_a_second_factor_and_does_not_exist_is_an_error(settings: Settings) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset({"doctor", "nurse"})
    assert startup_errors() == ["authsvc.E023 MFA_REQUIRED_ROLES has nurse, which is not a role."]


def test_a_server_does_not_start_with_an_error(settings: Settings) -> None:
    settings.JWT_KEYS = {"hospital": "x" * 31}
    settings.SMS_URL = "hospital.sms.send"
    with pytest.raises(SystemExit) as stop:
        run_startup_checks()
    lines = str(stop.value).splitlines()
    assert sorted(line.split()[0] for line in lines) == ["(authsvc.E009)", "(authsvc.E014)"]
    assert all(" HINT: " in line for line in lines)


def test_a_server_starts_without_errors() -> None:
    run_startup_checks()
