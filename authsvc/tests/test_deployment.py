"""The service as an operator starts it, in a process of its own."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

from authsvc.tests.test_env import KEY

pytestmark = pytest.mark.any_database

PRODUCTION = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "auth.hospital.example",
    "DATABASE_URL": "sqlite:///:memory:",
    "DJANGO_SETTINGS_MODULE": "authsvc.settings",
}


def manage(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these variables; an empty one hides what a .env of this checkout says."""
    path = os.environ["PATH"]
    return subprocess.run(
        [sys.executable, "-c", RUN, *args],
        cwd=settings.BASE_DIR,
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


# A .env of this checkout is not the operator's.
RUN = """
import sys
from authsvc import env
env.ENV_FILE = None
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def test_production_passes_the_deployment_check_with_three_variables() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    # That a proxy may be missing is worth a line, and no reason to fail.
    assert (done.returncode, re.findall(r"\((\w+\.\w+)\)", done.stderr)) == (0, ["authsvc.I001"]), done.stderr


def test_behind_a_proxy_nothing_is_left_to_say() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, TRUSTED_PROXIES="1")
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (4 silenced).\n"), done.stderr


def test_a_warning_of_ours_fails_the_deployment_check() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, PROFILE="documented")
    assert done.returncode == 1
    assert "(authsvc.W003)" in done.stderr


def test_a_closed_network_without_https_passes_it_too() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, REQUIRE_HTTPS="false")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["migrate", "runserver", "check", "seed"])
def test_without_a_key_nothing_starts(command: str) -> None:
    done = manage(command, **{**PRODUCTION, "SECRET_KEY": ""})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("(authsvc.E002) SECRET_KEY is not set.")
