"""The SQLite file holds password hashes and personal data, so only the user of the service may read it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from authsvc.tests.test_deployment import PRODUCTION, manage

pytestmark = pytest.mark.any_database

# Opens a connection in WAL mode and holds it, so that the files beside the database exist.
HOLD = """
import os
from django.db import connection
connection.cursor().execute("CREATE TABLE held (x)")
folder = os.environ["FOLDER"]
print(sorted((name, oct(os.stat(os.path.join(folder, name)).st_mode & 0o777)) for name in os.listdir(folder)))
"""


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_database_is_created_for_its_user_alone(tmp_path: Path) -> None:
    variables = {**PRODUCTION, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "FOLDER": str(tmp_path)}
    done = manage("shell", "--no-imports", "-v0", "-c", HOLD, **variables)
    names = ["db.sqlite3", "db.sqlite3-shm", "db.sqlite3-wal"]
    assert done.stdout.strip() == str([(name, "0o600") for name in names]), done.stderr


def test_the_mode_of_an_existing_database_stays(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    database.touch(0o640)
    variables = {**PRODUCTION, "DATABASE_URL": f"sqlite:///{database}", "FOLDER": str(tmp_path)}
    manage("shell", "--no-imports", "-v0", "-c", HOLD, **variables)
    assert (database.stat().st_size > 0, oct(database.stat().st_mode & 0o777)) == (True, "0o640")


def findings(name: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setitem(connection.settings_dict, "NAME", name)
    found = run_checks(include_deployment_checks=True)
    return [message.msg for message in found if message.id == "authsvc.W006"]


@pytest.mark.usefixtures("without_schema_check")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="The check is for SQLite.")
class TestCheck:
    @pytest.mark.parametrize(("mode", "shown"), [(0o644, "0644"), (0o640, "0640"), (0o602, "0602")])
    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
    def test_a_file_that_others_may_read_or_write_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, mode: int, shown: str
    ) -> None:
        for each in ("", "-wal", "-shm"):
            (tmp_path / f"db{each}").touch()
            (tmp_path / f"db{each}").chmod(mode if each == suffix else 0o600)
        (message,) = findings(tmp_path / "db", monkeypatch)
        assert message.startswith(f"{tmp_path}/db{suffix} has mode {shown}")

    def test_a_private_or_missing_file_is_not_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "db").touch(0o600)
        assert findings(tmp_path / "db", monkeypatch) == findings(tmp_path / "none", monkeypatch) == []

    @pytest.mark.parametrize("name", [":memory:", "file:memorydb_default?mode=memory&cache=shared"])
    def test_a_database_in_memory_has_no_file(self, monkeypatch: pytest.MonkeyPatch, name: Any) -> None:
        assert findings(name, monkeypatch) == []
