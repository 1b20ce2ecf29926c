"""What the measuring harness reads of this project."""

import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from accounts.security import hashing
from accounts.tests.tools import PASSWORD, Api

FOLDER = Path(settings.BASE_DIR) / "bench"


@pytest.mark.django_db
def test_its_users_can_log_in() -> None:
    seed = tomllib.loads((FOLDER / "peer.toml").read_text(encoding="utf-8"))["prepare"]["seed"]
    sql = (FOLDER / seed).read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            # MariaDB takes `||` for OR by default.
            cursor.execute("SET @mode = @@sql_mode, sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')")
        cursor.execute(sql.replace("{n}", "3").replace("{django_hash}", hashing.make(PASSWORD)))
        if connection.vendor == "mysql":
            cursor.execute("SET sql_mode = @mode")
    assert User.objects.count() == 3
    assert Api().login("user3@example.com").status_code == 200
