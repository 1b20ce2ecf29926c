"""The probes: what makes a process alive, what makes it ready, and who may see why it is not."""

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.databases import read_only
from accounts.tests.tools import Api
from authsvc import draining
from authsvc.endpoints import readiness

READY = {"database": True, "writable": True, "migrations": True, "keys": True, "clock": True, "draining": False}
ELSEWHERE = "192.0.2.7"


def probe(path: str = "/readyz") -> tuple[int, Any]:
    response = Client().get(path)
    return response.status_code, response.json()


def unavailable(**checks: bool) -> tuple[int, Any]:
    return 503, {"status": "unavailable", "checks": {**READY, **checks}}


@pytest.mark.django_db
def test_a_process_that_can_serve_is_ready(api: Api, alice: User) -> None:
    api.login()
    assert probe() == (200, {"status": "ok", "checks": READY})


@pytest.mark.django_db
def test_without_its_database_a_process_is_alive_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", away)
    assert probe() == unavailable(database=False, writable=False, migrations=False, keys=False, clock=False)
    assert probe("/healthz") == (200, {"status": "ok"})


@pytest.mark.django_db(transaction=True)
def test_with_a_read_only_database_a_process_is_not_ready() -> None:
    with read_only():
        assert probe() == unavailable(writable=False)


@pytest.mark.django_db
@pytest.mark.parametrize("value", [1, "ON"])
def test_a_server_that_says_it_is_read_only_is_not_writable(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    statement = f"SELECT 'read_only', {value!r}"
    monkeypatch.setattr(readiness, "_READ_ONLY", dict.fromkeys(readiness._READ_ONLY, statement))
    assert probe() == unavailable(writable=False)


@pytest.mark.django_db
def test_on_the_schema_of_the_previous_release_a_process_is_not_ready() -> None:
    MigrationRecorder(connection).record_unapplied("audit", "0010_seal")
    assert probe() == unavailable(migrations=False, keys=False)


@pytest.mark.django_db
def test_on_the_schema_of_the_next_release_a_process_is_ready() -> None:
    MigrationRecorder(connection).record_applied("audit", "9999_next")
    assert probe() == (200, {"status": "ok", "checks": READY})


@pytest.mark.django_db
def test_a_process_that_cannot_read_its_keys_is_not_ready(api: Api, alice: User, settings: Settings) -> None:
    api.login()
    settings.SECRET_KEY = "another"
    assert probe() == unavailable(keys=False)


@pytest.mark.django_db
def test_a_process_that_is_stopping_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_begun", threading.Event())
    draining.begin()
    assert probe() == unavailable(draining=True)


@pytest.mark.django_db
class TestDetails:
    @pytest.fixture(autouse=True)
    def _token(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = "a token of monitoring"

    @pytest.mark.parametrize(
        ("headers", "shown"),
        [
            ({}, False),
            ({"Authorization": "Bearer a token of monitoring"}, True),
            ({"Authorization": "bearer a token of monitoring"}, True),
            ({"Authorization": "Bearer another"}, False),
            ({"Authorization": "Bearer 药"}, False),
            ({"Authorization": "a token of monitoring"}, False),
        ],
    )
    def test_elsewhere_the_token_shows_the_checks(self, headers: dict[str, str], shown: bool) -> None:
        assert ("checks" in Client(REMOTE_ADDR=ELSEWHERE).get("/readyz", headers=headers).json()) is shown

    def test_without_a_token_in_the_settings_none_shows_the_checks(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""
        response = Client(REMOTE_ADDR=ELSEWHERE).get("/readyz", headers={"Authorization": "Bearer "})
        assert response.json() == {"status": "ok"}

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_a_proxy_on_this_machine_does_not_show_them_to_its_clients(self, header: str) -> None:
        assert Client().get("/readyz", headers={header: "for=192.0.2.7"}).json() == {"status": "ok"}
