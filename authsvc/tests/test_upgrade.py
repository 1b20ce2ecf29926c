"""An upgrade: the previous release on the new schema, and this release on the previous schema.

The previous release is taken from the repository's history and runs in a process of its own.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.tests.contracts.clients import CLIENTS, NATIVE
from accounts.tests.databases import direct_connection
from accounts.tests.tools import PASSWORD

# 0.1.0. A release that changes the schema names its predecessor here.
PREVIOUS = "366812bc68508dadcca78ecc72739a50330ff425"

# Reads a list of requests (method, path, body, token) and writes the list of their responses (status, body). The method
# MIGRATE migrates the database.
PROGRAM = """
import json, sys
from authsvc.configuration import env
env.ENV_FILE = None
import django
django.setup()
from django.core.management import call_command
from django.test import Client
client = Client(raise_request_exception=False)
responses = []
for method, path, body, token in json.load(sys.stdin):
    if method == "MIGRATE":
        call_command("migrate", verbosity=0)
        continue
    headers = {"Authorization": "Bearer " + token} if token else {}
    response = client.generic(method, path, json.dumps(body), content_type="application/json", headers=headers)
    responses.append((response.status_code, response.json()))
json.dump(responses, sys.stdout)
"""

Request = tuple[str, str, Any, str]
MIGRATE: Request = ("MIGRATE", "", None, "")
READY: Request = ("GET", "/readyz", None, "")
NOT_MIGRATED = {
    "database": True,
    "writable": True,
    "migrations": False,
    "keys": False,
    "clock": True,
    "draining": False,
}


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the code of the previous release."""
    archive = subprocess.run(
        ["git", "archive", PREVIOUS], cwd=settings.BASE_DIR, capture_output=True, check=False, timeout=60
    )
    if archive.returncode:
        pytest.skip("The history of the repository is not here.")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as content:
        content.extractall(folder, filter="data")
    return folder


def run(code: Path, database: str, requests: list[Request]) -> list[tuple[int, Any]]:
    """Return the responses of the release in a folder to these requests."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=code,
        env={
            "PATH": os.environ["PATH"],
            "DEBUG": "true",
            "ALLOWED_HOSTS": "testserver",
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "authsvc.settings",
        },
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [(status, body) for status, body in json.loads(done.stdout)]


def url_of_the_tests() -> str:
    """Return the DATABASE_URL of the database that this release has migrated for the tests."""
    config = direct_connection().settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    user = f"{config['USER']}:{config['PASSWORD']}" if config["PASSWORD"] else config["USER"]
    return f"{scheme}://{user}@{config['HOST']}:{config['PORT']}/{config['NAME']}"


def of_person(number: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a body with the name and the contacts of a person of this number."""
    phone = f"1391234567{number}"
    own = {
        "username": f"person{number}",
        "email": f"person{number}@hospital.example",
        "phone": phone,
        "phone_number": phone,
    }
    return fields | {name: value for name, value in own.items() if name in fields}


@pytest.mark.django_db(transaction=True)
def test_the_previous_release_registers_and_logs_in_on_the_new_schema(previous: Path) -> None:
    requests: list[Request] = []
    expected: list[int] = []
    for number, client in enumerate(CLIENTS):
        login, registration = of_person(number, client.login_fields), of_person(number, client.registration)
        requests += [
            ("POST", f"/{client.mount}/register", {**registration, "password": PASSWORD}, ""),
            ("POST", f"/{client.mount}/login", {**login, "password": PASSWORD}, ""),
            ("POST", f"/{client.mount}/login", {**login, "password": "wrong"}, ""),
        ]
        expected += [client.registered_status, 200, client.errors.wrong_credentials[0]]
    responses = run(previous, url_of_the_tests(), requests)
    assert [status for status, _ in responses] == expected, responses


@pytest.mark.slow
@pytest.mark.any_database
def test_two_releases_serve_at_once_and_the_new_one_waits_for_its_schema(previous: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    register: Request = ("POST", "/api/auth/register", {**NATIVE.registration, "password": PASSWORD}, "")
    login: Request = ("POST", "/api/auth/login", {"username": "carol", "password": PASSWORD}, "")
    _, (_, former) = run(previous, database, [MIGRATE, register, login])
    # Before the schema is expanded the new release does not take part; afterwards it continues the former sessions.
    refused, ready, kept, (_, newer) = run(
        settings.BASE_DIR, database, [READY, MIGRATE, READY, me(former["access_token"]), login]
    )
    assert refused == (503, {"status": "unavailable", "checks": NOT_MIGRATED})
    assert (ready[0], kept[0]) == (200, 200)
    # The previous release continues sessions of the new one meanwhile.
    responses = run(previous, database, [me(newer["access_token"]), login])
    assert [status for status, _ in responses] == [200, 200]


def me(token: str) -> Request:
    return ("GET", "/api/auth/me", None, token)
