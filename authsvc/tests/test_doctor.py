"""manage.py doctor: what each check finds, and that every finding has a result and a way to mend it."""

import io
import json
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.messaging import heartbeat
from accounts.models import Heartbeat, SigningKey
from accounts.tests.messaging.conftest import Enqueue, enqueue, mail_at, use_mail
from accounts.tests.messaging.stub_servers import MailServer, free_port
from accounts.tests.tools import Api
from audit.tests.log_servers import SyslogServer
from audit.tests.test_streaming import certificate, server_side
from authsvc.doctor import database, gateways, service
from authsvc.doctor.findings import Finding, Status
from authsvc.observability.server_connections import ServerConnections

__all__ = ["certificate", "enqueue", "mail_at", "server_side"]

pytestmark = pytest.mark.django_db

Found = tuple[str, str]


def found(findings: Iterator[Finding]) -> Found:
    """Return the status and the text of the only finding, which has a hint unless it is ok."""
    (finding,) = findings
    assert bool(finding.hint) is (finding.status is not Status.OK)
    return finding.status.value, finding.text


def doctor(*args: str) -> tuple[int, str]:
    out, status = io.StringIO(), 0
    try:
        call_command("doctor", *args, stdout=out)
    except SystemExit as error:
        status = int(str(error.code))
    return status, out.getvalue()


def test_a_deployment_in_order_has_a_line_for_each_check_and_status_0(alice: object) -> None:
    Api().login()
    status, out = doctor("--json")
    result = json.loads(out)
    names = list(dict.fromkeys(check["check"] for check in result["checks"]))
    assert " ".join(names) == (
        "database isolation time_zone_data migrations clock connections statement_timeout server_log replica "
        "keys delivery cache mail sms certificates disk configuration"
    )
    assert {tuple(check) for check in result["checks"]} == {("check", "status", "text", "hint")}
    # DEBUG alone makes warnings.
    assert (status, result["status"]) == (0, "warning")
    assert {check["check"] for check in result["checks"] if check["status"] != "ok"} <= {
        "configuration",
        "time_zone_data",
    }


def test_a_database_that_cannot_be_reached_is_status_1_and_the_other_checks_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused\nmore")

    monkeypatch.setattr(database, "_connect", refuse)
    status, out = doctor()
    assert status == 1
    assert out.startswith("failure  database: OperationalError: connection refused\n         Check DATABASE_URL")
    assert [line.split()[1] for line in out.splitlines() if line.startswith("ok ")][:4] == [
        "cache:",
        "mail:",
        "sms:",
        "certificates:",
    ]


def test_a_missing_migration_is_a_failure() -> None:
    ((app, newest),) = MigrationLoader(connection).graph.leaf_nodes("accounts")
    MigrationRecorder(connection).record_unapplied(app, newest)
    assert found(database.migrations()) == ("failure", f"Not applied: accounts.{newest}.")


def test_the_connection_has_the_settings_that_the_service_relies_on() -> None:
    assert found(database.isolation())[0] == "ok"
    assert found(database.clock())[0] == "ok"
    assert found(database.server_log())[0] == "ok"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a PostgreSQL server answers, by a word of the statement or by its value."""
    values: dict[str, Any] = {}

    def value(sql: str, *parameters: object) -> Any:
        return values[next(key for key in values if key in (*map(str, parameters), sql) or key in sql)]

    monkeypatch.setattr(database, "_value", value)
    monkeypatch.setattr(
        database,
        "connection",
        SimpleNamespace(
            vendor="postgresql",
            display_name="PostgreSQL",
            settings_dict={"OPTIONS": {"pool": {"max_size": 8}}, "DISABLE_SERVER_SIDE_CURSORS": False},
        ),
    )
    monkeypatch.setattr(database, "_connect", lambda: None)
    return values


def test_a_standby_is_a_failure(answers: dict[str, Any]) -> None:
    answers |= {"server_version": "15.4", "read_only": True}
    assert found(database.database()) == ("failure", "PostgreSQL 15.4 is read-only.")


def test_another_isolation_is_a_failure(answers: dict[str, Any]) -> None:
    answers["isolation"] = "repeatable read"
    assert found(database.isolation()) == ("failure", "Transactions run at repeatable read.")


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (5, "warning"), (-5, "warning"), (90, "failure")])
def test_a_clock_that_is_apart_is_found(monkeypatch: pytest.MonkeyPatch, seconds: int, status: str) -> None:
    monkeypatch.setattr(database, "ahead", lambda: timedelta(seconds=seconds))
    assert found(database.clock())[0] == status


@pytest.mark.parametrize(
    ("used", "limit", "processes", "status"), [(50, 97, 2, "ok"), (80, 97, 2, "warning"), (1, 97, 13, "failure")]
)
def test_connections_are_compared_with_the_servers_limit(
    answers: dict[str, Any],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    used: int,
    limit: int,
    processes: int,
    status: str,
) -> None:
    settings.WEB_CONCURRENCY = processes
    monkeypatch.setattr(database, "server_connections", lambda: ServerConnections(used, limit))
    text = f"The server has {used} connections and accepts {limit}; this node opens up to {8 * processes}."
    assert found(database.connections()) == (status, text)


def test_behind_a_pooler_the_connections_of_a_node_are_not_the_servers(
    answers: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_CONCURRENCY = 13
    vars(database)["connection"].settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
    monkeypatch.setattr(database, "server_connections", lambda: ServerConnections(20, 97))
    text = "The server has 20 connections and accepts 97; those of this node lead to PgBouncer."
    assert found(database.connections()) == ("ok", text)


@pytest.mark.parametrize(
    ("limit", "finding"),
    [
        ("15s", ("ok", "The server ends a statement after 15s.")),
        ("0", ("warning", "The server ends no statement, however long it takes.")),
    ],
)
def test_statements_without_a_time_limit_are_found(answers: dict[str, Any], limit: str, finding: Found) -> None:
    answers["statement_timeout"] = limit
    assert found(database.statement_timeout()) == finding


DEFAULTS = {
    "log_parameter_max_length_on_error": "0",
    "log_parameter_max_length": "-1",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
}


@pytest.mark.parametrize(
    ("changed", "logged"),
    [
        ({}, ""),
        ({"log_parameter_max_length_on_error": "-1"}, "log_parameter_max_length_on_error = -1"),
        ({"log_statement": "all"}, "log_statement = all"),
        ({"log_min_duration_statement": "250ms"}, "log_min_duration_statement = 250ms"),
        ({"log_statement": "all", "log_parameter_max_length": "0"}, ""),
    ],
    ids=str,
)
def test_values_in_the_servers_own_log_are_a_warning(
    answers: dict[str, Any], changed: dict[str, str], logged: str
) -> None:
    answers |= DEFAULTS | changed
    status, text = found(database.server_log())
    assert (status, logged in text) == ("warning" if logged else "ok", True)


def test_a_key_of_another_secret_is_a_failure(alice: object, settings: Settings) -> None:
    Api().login()
    assert found(service.keys())[0] == "ok"
    settings.SECRET_KEY = "another" * 10
    status, text = found(service.keys())
    assert (status, text.startswith("Encrypted with another SECRET_KEY: ")) == ("failure", True)


def test_an_old_key_is_a_warning(alice: object) -> None:
    Api().login()
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=366))
    status, text = found(service.keys())
    assert (status, text.rpartition("; ")[2]) == ("warning", "the oldest that signs is 366 days old.")


def test_delivery_that_does_not_run_is_found(enqueue: Enqueue, settings: Settings) -> None:
    settings.EMAIL_URL = ""
    settings.SMS_URL = ""
    assert found(service.delivery())[0] == "ok"
    use_mail(settings, "smtp://mail.hospital.example/?from=a@hospital.example")
    assert found(service.delivery())[0] == "warning"
    enqueue()
    status, text = found(service.delivery())
    assert (status, text[:60]) == ("failure", "No worker was seen for four minutes; 1 messages wait, the ol")
    heartbeat.beat()
    assert found(service.delivery())[0] == "ok"
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert found(service.delivery())[0] == "failure"


def test_the_mail_server_is_connected_to(mail_at: MailServer, settings: Settings) -> None:
    assert found(gateways.mail()) == ("ok", f"127.0.0.1:{mail_at.port} accepts the connection and the login.")
    use_mail(settings, f"smtp://127.0.0.1:{(port := free_port())}/?from=a@hospital.example")
    assert found(gateways.mail()) == ("failure", f"127.0.0.1:{port} cannot be used: ConnectionRefusedError.")


def test_without_redis_there_is_no_cache_to_check() -> None:
    assert found(gateways.cache()) == ("ok", "REDIS_URL is not set; nothing needs it.")


def test_a_cache_that_cannot_be_reached_is_a_warning(settings: Settings) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
    assert found(gateways.cache()) == ("warning", "It does not return what was stored (ConnectionError).")


def test_a_certificate_is_verified_and_its_end_is_known(
    server_side: ssl.SSLContext, certificate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SyslogServer(tls=server_side)
    try:
        settings.AUDIT_STREAM_URL = f"syslog+tls://127.0.0.1:{server.port}"
        name = f"AUDIT_STREAM_URL, 127.0.0.1:{server.port}: "
        assert found(gateways.certificates()) == ("failure", f"{name}no verified connection (self-signed certificate).")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        status, text = found(gateways.certificates())
        # The certificate of the tests is valid for a few days.
        assert (status, text.startswith(f"{name}valid until 20")) == ("warning", True)
        monkeypatch.setattr(gateways, "_RENEWAL", timedelta(0))
        assert found(gateways.certificates()) == ("ok", text)
    finally:
        server.close()


@pytest.mark.parametrize(("free", "status"), [(2**31, "ok"), (2**29, "warning"), (2**20, "failure")])
def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch, free: int, status: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    assert {finding.status.value for finding in service.disk()} == {status}
