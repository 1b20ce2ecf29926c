"""The client programs that document 002 prints, run as they stand but for the address."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.contracts.programs import run, run_in_a_browser
from accounts.tests.factors import enrol_app

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]

CLIENTS = Path(__file__).parent / "clients"
# Runs a printed program and returns its answers.
Program = Callable[[LiveServer, Path, str], list[dict[str, Any]]]


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


def run_javascript(server: LiveServer, folder: Path, typed: str) -> list[dict[str, Any]]:
    """Run the printed program with this text in the field for the password."""
    printed = (CLIENTS / "fetch.js").read_text(encoding="utf-8").replace("'123456'", f"'{typed}'")
    return run_in_a_browser(folder, printed, "[loginData, profileData]", server.url)


def run_php(server: LiveServer, folder: Path, typed: str) -> list[dict[str, Any]]:
    printed = (CLIENTS / "curl.php").read_text(encoding="utf-8").replace("'123456'", f"'{typed}'")
    program = printed.replace("http://your-domain.com", server.url)
    script = folder / "client.php"
    script.write_text(f"<?php\n{program}\necho json_encode([$loginResult, $profileResult]);\n", encoding="utf-8")
    return run("php", str(script))


each_program = pytest.mark.parametrize("program", [run_javascript, run_php], ids=["javascript", "php"])


@each_program
def test_the_program_logs_in_and_reads_the_profile(program: Program, live_server: LiveServer, tmp_path: Path) -> None:
    check(program(live_server, tmp_path, "123456"))


@each_program
def test_the_program_logs_in_with_a_code_after_the_password(
    program: Program, live_server: LiveServer, tmp_path: Path
) -> None:
    app = enrol_app(User.objects.get(username="admin"), "123456")
    check(program(live_server, tmp_path, f"123456{app.code()}"))
