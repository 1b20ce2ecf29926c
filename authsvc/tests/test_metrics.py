"""/metrics: who may read it, and what the counters count."""

import json
import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings as settings_module
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.security.slots import Slots
from accounts.tests.tools import PASSWORD, Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

DEPLOY: Path = settings_module.BASE_DIR / "deploy"
TOKEN = "scrape-9fK2-vQz7Lm"
NAMES = {
    "authsvc_build_info",
    "authsvc_accounts_locked",
    "authsvc_db_errors_total",
    "authsvc_delivery_unseen_seconds",
    "authsvc_hashing_slots_in_use",
    "authsvc_hashing_wait_seconds",
    "authsvc_http_request_duration_seconds",
    "authsvc_http_requests_total",
    "authsvc_logins_total",
    "authsvc_message_age_seconds",
    "authsvc_messages_pending",
    "authsvc_signing_key_age_seconds",
    "authsvc_trail_rows_total",
}


def text(**headers: str) -> str:
    return Client().get("/metrics", headers=headers).content.decode()


def value(sample: str) -> float:
    """Return the value of a sample with its labels; 0 where it has not been counted."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text(), re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("header", ["", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer ", TOKEN])
@pytest.mark.parametrize("token", ["", TOKEN])
def test_without_the_token_the_path_does_not_exist(settings: Settings, header: str, token: str) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = False, token
    refused, unknown = (Client().get(path, headers={"Authorization": header}) for path in ("/metrics", "/nothing"))
    assert (refused.status_code, refused.content) == (404, unknown.content)


def test_the_token_opens_it_at_a_nodes_address_without_tls(settings: Settings) -> None:
    settings.DEBUG, settings.METRICS_TOKEN, settings.REQUIRE_HTTPS = False, TOKEN, True
    response = Client().get("/metrics", headers={"Authorization": f"bearer {TOKEN}", "Host": "10.1.2.3:8000"})
    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (200, "text/plain")


def test_every_name_is_there(alice: User, settings: Settings) -> None:
    settings.DEBUG = True
    Api().login()
    call_command("deliver", "--once")
    named = set(re.findall(r"^# TYPE (authsvc_\w+)", text(), re.MULTILINE))
    # On SQLite there is no server that would have connections.
    assert {name for name in named if not name.endswith("_created")} - NAMES <= {
        "authsvc_db_connections",
        "authsvc_db_connections_limit",
    }
    assert named >= NAMES


def test_logins_are_counted_by_contract_and_outcome_as_the_trail_records_them(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.DEBUG = True
    samples = [f'authsvc_logins_total{{contract="native",outcome="{name}"}}' for name in ("success", "wrong_password")]
    samples.append("authsvc_trail_rows_total")
    before = [value(sample) for sample in samples]
    with django_capture_on_commit_callbacks(execute=True):
        Api().login()
        Api().login(password="Wrong-horse-8")
        Api().login(password="Wrong-horse-9")
    assert [value(sample) - former for sample, former in zip(samples, before, strict=True)] == [1, 2, 3]


def test_a_transaction_that_is_rolled_back_counts_nothing(alice: User, settings: Settings) -> None:
    settings.DEBUG = True
    before = value("authsvc_trail_rows_total")
    Api().login()
    assert value("authsvc_trail_rows_total") == before


def test_requests_are_counted_by_operation_and_no_stranger_makes_a_series(settings: Settings) -> None:
    settings.DEBUG = True
    me = 'authsvc_http_requests_total{contract="native",operation="me",status="401"}'
    unknown = 'authsvc_http_requests_total{contract="native",operation="none",status="404"}'
    seconds = 'authsvc_http_request_duration_seconds_count{contract="native",operation="none"}'
    before = [value(sample) for sample in (me, unknown, seconds)]
    Api().get("me")
    series = text().count("\n")
    for name in ("a", "b", "c"):
        Client().get(f"/api/auth/{name}")
    assert [value(sample) - former for sample, former in zip((me, unknown, seconds), before, strict=True)] == [1, 3, 3]
    assert text().count("\n") - series < 20


def test_a_slot_is_in_use_while_it_is_held(settings: Settings) -> None:
    settings.DEBUG = True
    slots, waits = Slots(2), value("authsvc_hashing_wait_seconds_count")
    with slots.take(account=1), slots.take(account=2):
        assert value("authsvc_hashing_slots_in_use") == 2
    assert value("authsvc_hashing_slots_in_use") == 0
    assert value("authsvc_hashing_wait_seconds_count") - waits == 2


def test_an_error_of_the_database_is_counted_and_leaves_the_other_metrics(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    before = value("authsvc_db_errors_total")

    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr("accounts.services.sign_in.identify", fail)
    assert Api().post("login", {"username": "alice", "password": PASSWORD}).status_code == 503
    monkeypatch.setattr("authsvc.observability.database_metrics.delivery_status", fail)
    found = text()
    assert "authsvc_messages_pending" not in found
    assert "authsvc_build_info" in found
    # One of the login, and one of the scrape itself, which the next one shows.
    assert value("authsvc_db_errors_total") - before == 2


def expressions() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "grafana/authsvc.json").read_text("utf-8"))["panels"]
    return [rule["expr"] for rule in rules] + [target["expr"] for panel in panels for target in panel["targets"]]


def test_alerts_and_dashboard_read_metrics_that_exist_and_show_all_of_them() -> None:
    of_servers = {"authsvc_db_connections", "authsvc_db_connections_limit"}
    read = {name.removesuffix("_bucket") for text in expressions() for name in re.findall(r"authsvc_\w+", text)}
    assert read == NAMES | of_servers


def test_the_page_of_operations_has_every_alert_and_every_metric() -> None:
    page = (settings_module.BASE_DIR / "docs/operations.md").read_text("utf-8")
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    assert re.findall(r"^\| `([A-Z]\w+)` \|", page, re.MULTILINE) == [rule["alert"] for rule in rules]
    listed = page.partition("\n## Metrics\n")[2].partition("\n## Alerts\n")[0]
    assert set(re.findall(r"`(authsvc_\w+)", listed)) >= NAMES
