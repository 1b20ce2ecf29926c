"""The service as an operator starts it, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from authsvc.tests import processes
from authsvc.tests.test_env import KEY

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PRODUCTION = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "auth.hospital.example",
    "DATABASE_URL": "sqlite:///:memory:",
    "DJANGO_SETTINGS_MODULE": "authsvc.settings",
}


def manage(*args: str, **variables: str) -> CompletedProcess[str]:
    """Run a command with these variables; an empty one hides what a .env of this checkout says."""
    return processes.run(RUN, *args, environment=variables)


# A .env of this checkout must not apply.
RUN = """
import sys
from authsvc.configuration import env
env.ENV_FILE = None
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""

THREADS = 4
SERVE = f"""
from authsvc.configuration import env
env.ENV_FILE = None
import sys
from gunicorn.app.wsgiapp import run
worker = ["--worker-class", "authsvc.gunicorn_worker.Worker", "--threads", "{THREADS}"]
sys.argv = ["gunicorn", *worker, "--bind", sys.argv[1], "authsvc.wsgi:application"]
run()
"""


SEALED = {"AUDIT_KEY": "9fK2-vQz7Lm_Xc4Rb8Tn1Wd6Hs3Jp5YgEuAoIiOeUaMqZwVx"}


# How many objects a garbage collection still goes through, how many it passes over, and whether there are collections.
COUNT_OBJECTS = """
from authsvc.configuration import env
env.ENV_FILE = None
import gc
from authsvc import wsgi
print(len(gc.get_objects()), gc.get_freeze_count(), gc.isenabled())
"""


def test_garbage_collections_pass_over_what_the_application_has_loaded() -> None:
    done = processes.run(COUNT_OBJECTS, environment=PRODUCTION)
    collected, frozen, enabled = done.stdout.split()
    assert int(collected) * 100 < int(frozen), done.stderr
    assert enabled == "True"


def test_a_process_loads_no_library_that_few_requests_need() -> None:
    program = "import sys; from authsvc import wsgi; print(*sys.modules)"
    # A process of its own: those of the other tests have some of the tests' libraries.
    done = subprocess.run([sys.executable, "-c", program], env=PRODUCTION, capture_output=True, text=True, check=True)
    assert {"webauthn", "segno", "openpyxl", "confusable_homoglyphs"} & set(done.stdout.split()) == set()


def test_production_passes_the_deployment_check_with_three_variables() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    # That a proxy or a gateway may be missing is worth a line, and no reason to fail.
    said = re.findall(r"\((\w+\.\w+)\)", done.stderr)
    assert (done.returncode, sorted(said)) == (0, ["authsvc.I001", "authsvc.I002", "authsvc.I003"]), done.stderr


def test_a_warning_fails_the_deployment_check() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, PROFILE="documented")
    assert done.returncode == 1
    assert "(authsvc.W003)" in done.stderr


@pytest.mark.parametrize(
    "gateway",
    [
        {"EMAIL_URL": "smtps://mail.hospital.example/?from=authsvc@hospital.example"},
        {"SMS_URL": "accounts.tests.messaging.test_sms.record_sms"},
    ],
    ids=str,
)
def test_behind_a_proxy_with_a_gateway_there_are_no_findings(gateway: dict[str, str]) -> None:
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, **gateway, **SEALED, TRUSTED_PROXIES="1"
    )
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (8 silenced).\n"), done.stderr


def test_a_function_that_is_not_in_its_module_stops_every_command() -> None:
    done = manage("deliver", "--once", **PRODUCTION, SMS_URL="accounts.names.send")
    assert done.returncode == 1
    assert "(authsvc.E014) SMS_URL cannot be used: accounts.names.send cannot be imported (ImportError)." in done.stderr


def gunicorn(**variables: str) -> CompletedProcess[str]:
    """Run gunicorn until it exits."""
    return processes.run(SERVE, "127.0.0.1:0", environment={**PRODUCTION, **variables})


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"SECRET_KEY": ""}, "(authsvc.E002) SECRET_KEY is not set. HINT: "),
        ({"HOSPITAL_JWT_KEY": "x" * 31}, "(authsvc.E009) HOSPITAL_JWT_KEY has 31 bytes and needs 32. HINT: "),
        ({"SMS_URL": "hospital.sms.send"}, "(authsvc.E014) SMS_URL cannot be used: "),
    ],
    ids=str,
)
def test_an_error_stops_gunicorn_at_once(variables: dict[str, str], error: str) -> None:
    done = gunicorn(**variables)
    assert done.returncode == 3
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("(")]
    assert line.startswith(error)


def test_delivery_ends_on_a_signal(tmp_path: Path) -> None:
    variables = {**PRODUCTION, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    assert manage("migrate", **variables).returncode == 0
    for number in (signal.SIGINT, signal.SIGTERM):
        output, errors = tmp_path / f"output-{number}", tmp_path / f"errors-{number}"
        process = processes.start(RUN, "deliver", environment=variables, output=output, errors=errors)
        deadline = time.monotonic() + 20
        while not (output.exists() and output.read_text(encoding="utf-8")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert output.read_text(encoding="utf-8") == "Delivering messages. Ctrl-C stops after the current message.\n"
        os.kill(process.pid or 0, number)
        process.join(20)
        assert process.exitcode == 0, number


def test_a_closed_network_without_https_passes_the_deployment_check() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, REQUIRE_HTTPS="false")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["migrate", "runserver", "check", "seed"])
def test_without_a_key_nothing_starts(command: str) -> None:
    done = manage(command, **{**PRODUCTION, "SECRET_KEY": ""})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("(authsvc.E002) SECRET_KEY is not set.")
