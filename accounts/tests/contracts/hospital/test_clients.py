"""The client program that document 000 prints, run as it stands but for the address."""

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.tests.contracts.programs import run_in_a_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]

PRINTED = (Path(__file__).parent / "clients" / "fetch.js").read_text(encoding="utf-8")


def test_the_javascript_logs_in_and_reads_the_profile(
    live_server: LiveServer, tmp_path: Path, settings: Settings, transactional_db: None
) -> None:
    settings.DEBUG = True
    call_command("seed", verbosity=0)
    settings.DEBUG = False
    login, profile = run_in_a_browser(tmp_path, PRINTED, "[result, await getProfile()]", f"{live_server.url}/hospital")
    assert (login["success"], login["data"]["message"]) == (True, "Login successful")
    assert (profile["success"], profile["data"]["user"]) == (True, login["data"]["user"])
