"""The client programs that document 002 prints, run as they stand but for the address."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.tests.contracts.programs import run, run_in_a_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture(autouse=True)
def _demonstration_accounts(settings: Settings, transactional_db: None) -> None:
    settings.DEBUG = True
    call_command("seed", verbosity=0)
    settings.DEBUG = False


def messages(answers: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(answer["code"], answer["message"]) for answer in answers]


def check(answers: list[dict[str, Any]]) -> None:
    assert messages(answers) == [(200, "登录成功"), (200, "获取成功")]
    assert answers[1]["data"]["email"] == "admin@hospital.com"


def test_the_javascript_logs_in_and_reads_the_profile(live_server: LiveServer, tmp_path: Path) -> None:
    printed = (CLIENTS / "fetch.js").read_text(encoding="utf-8")
    check(run_in_a_browser(tmp_path, printed, "[loginData, profileData]", live_server.url))


def test_the_php_logs_in_and_reads_the_profile(live_server: LiveServer, tmp_path: Path) -> None:
    printed = (CLIENTS / "curl.php").read_text(encoding="utf-8")
    program = printed.replace("http://your-domain.com", live_server.url)
    script = tmp_path / "client.php"
    script.write_text(f"<?php\n{program}\necho json_encode([$loginResult, $profileResult]);\n", encoding="utf-8")
    check(run("php", str(script)))
