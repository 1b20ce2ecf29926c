"""A MariaDB made from the SQL that document 000 prints, and logins of its people by the document's own program."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.contracts.hospital.test_clients import PRINTED
from accounts.tests.contracts.programs import run_in_a_browser
from accounts.tests.importing.sources import ARGON2I, BCRYPT, PBKDF2, PHP_BCRYPT, SCRYPT, import_users
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt
from audit.verification import Verification

PRINTED_SQL = (Path(__file__).parent / "hospital.sql").read_text(encoding="utf-8")
HASHES = {"of_2b": BCRYPT, "of_2y": PHP_BCRYPT, "of_pbkdf2": PBKDF2, "of_scrypt": SCRYPT, "of_argon2i": ARGON2I}


@pytest.fixture
def source() -> Iterator[str]:
    """The URL of a new database with the printed tables and rows, and an account with each kind of hash.

    Without a server the test fails under CI and is skipped elsewhere.
    """
    server = os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/test").rpartition("/")[0]
    name, parts = f"test_hospital_{os.getpid()}", urlsplit(server)
    credentials: dict[str, Any] = {"user": parts.username, "password": unquote(parts.password or "")}
    try:
        connection = pymysql.connect(
            host=parts.hostname or "", port=parts.port or 3306, charset="utf8mb4", autocommit=True, **credentials
        )
    except pymysql.err.OperationalError as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"There is no MariaDB: {error}")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            cursor.execute(f"USE {name}")
            for statement in filter(str.strip, PRINTED_SQL.split(";")):
                cursor.execute(statement)
            insert = "INSERT INTO users (username, password_hash) VALUES (%s, %s)"
            cursor.executemany(insert, list(HASHES.items()))
            cursor.execute(
                "INSERT INTO login_logs (user_id, login_ip, user_agent, status, failure_reason)"
                " SELECT user_id, '192.0.2.9', 'Firefox 🦊', 'failed', 'User inactive' FROM users"
                " WHERE username = 'admin'"
            )
            yield f"{server}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.django_db
def test_everybody_comes_with_a_password_that_still_works(source: str) -> None:
    said = import_users(source, "--from", "hospital")
    assert "9 come" in "\n".join(map(str.strip, said.splitlines()))
    assert (User.objects.get(username="dr_li").full_name, User.objects.count()) == ("李研究员", 9)
    statuses = {name: Api().login(name, PASSWORD).status_code for name in (*HASHES, "dr_wang")}
    assert statuses == {**dict.fromkeys(HASHES, 200), "dr_wang": 401}
    attempt = LoginAttempt.objects.get(contract="imported")
    assert (attempt.identifier, attempt.failure_reason, attempt.user_agent) == ("admin", "inactive", "Firefox 🦊")
    check = Verification()
    assert (sum(1 for _ in check.run()) > 0, check.intact) == (True, True)


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_they_log_in_by_the_program_of_the_document(
    source: str, live_server: LiveServer, tmp_path: Path, transactional_db: None
) -> None:
    import_users(source, "--from", "hospital")
    printed = PRINTED.replace("'123456'", f"'{PASSWORD}'").replace("'dr_wang'", "'of_scrypt'")
    login, profile = run_in_a_browser(tmp_path, printed, "[result, await getProfile()]", f"{live_server.url}/hospital")
    assert (login["data"]["message"], profile["data"]["user"]) == ("Login successful", login["data"]["user"])
