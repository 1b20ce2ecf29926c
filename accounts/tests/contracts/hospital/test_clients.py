"""The client program that document 000 prints, run as it stands but for the address."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.contracts.programs import run_in_a_browser
from accounts.tests.factors import enrol_app

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]

PRINTED = (Path(__file__).parent / "clients" / "fetch.js").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _demonstration_accounts(settings: Settings, transactional_db: None) -> None:
    settings.DEBUG = True
    call_command("seed", verbosity=0)
    settings.DEBUG = False


def check(server: LiveServer, folder: Path, typed: str) -> None:
    """Run the program with this text in the field for the password."""
    program = PRINTED.replace("'123456'", f"'{typed}'")
    results: list[dict[str, Any]] = run_in_a_browser(
        folder, program, "[result, await getProfile()]", f"{server.url}/hospital"
    )
    login, profile = results
    assert (login["success"], login["data"]["message"]) == (True, "Login successful")
    assert (profile["success"], profile["data"]["user"]) == (True, login["data"]["user"])


def test_the_javascript_logs_in_and_reads_the_profile(live_server: LiveServer, tmp_path: Path) -> None:
    check(live_server, tmp_path, "123456")


def test_the_javascript_logs_in_with_a_code_after_the_password(live_server: LiveServer, tmp_path: Path) -> None:
    app = enrol_app(User.objects.get(username="dr_wang"), "123456")
    check(live_server, tmp_path, f"123456{app.code()}")
