"""Measures `manage.py import_users` of document 000's tables, from MariaDB.

    DATABASE_URL=postgres://… .venv/bin/python bench/moving_in.py [people] [server of the source]

The script creates the source on that server (default mysql://root@127.0.0.1:3306) from the document's SQL with so many
people (default 100,000) and one login attempt each. Their hashes are bcrypt, argon2i, argon2id and werkzeug's two, in
equal parts. The target is a temporary database on the server of DATABASE_URL. Both are dropped at the end. The command
is a process of its own.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django  # noqa: E402

django.setup()

import pymysql  # noqa: E402
from argon2 import PasswordHasher  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import get_runner  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.tests.importing.sources import ARGON2I, BCRYPT, PBKDF2, SCRYPT  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402
from audit.models import LoginAttempt  # noqa: E402

HASHES = [BCRYPT, ARGON2I, PBKDF2, SCRYPT, PasswordHasher().hash(PASSWORD)]
CREATE_TABLES = ROOT / "accounts/tests/importing/hospital.sql"
PEOPLE = """
INSERT INTO users (username, email, password_hash, full_name, role, department, phone)
SELECT CONCAT('staff', seq), CONCAT('staff', seq, '@hospital.com'), ELT(seq % 5 + 1, %s, %s, %s, %s, %s),
    CONCAT('王', seq), ELT(seq % 3 + 1, 'doctor', 'researcher', 'viewer'), '呼吸科', CONCAT('138', LPAD(seq, 8, '0'))
FROM seq_1_to_{people}
"""
ATTEMPTS = """
INSERT INTO login_logs (user_id, login_ip, user_agent, status)
SELECT user_id, '10.0.0.1', 'Mozilla/5.0', 'success' FROM users
"""


@contextmanager
def filled_source(server: str, people: int) -> Iterator[str]:
    """Yield the URL of a database with the former system's tables."""
    name, parts = f"moving_in_{os.getpid()}", urlsplit(server)
    created = pymysql.connect(
        host=parts.hostname or "",
        port=parts.port or 3306,
        user=parts.username,
        password=unquote(parts.password or ""),
        autocommit=True,
    )
    with created, created.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            cursor.execute(f"USE {name}")
            for statement in CREATE_TABLES.read_text(encoding="utf-8").split(";"):
                if statement.strip().startswith("CREATE") or "CREATE TABLE" in statement:
                    cursor.execute(statement)
            cursor.execute(PEOPLE.replace("seq % ", "seq %% ").format(people=people), HASHES)
            cursor.execute(ATTEMPTS)
            yield f"{server}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def measure(source: str) -> None:
    url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 The arguments are the script's own.
        [sys.executable, "manage.py", "import_users", source, "--from", "hospital"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    took, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(done.stdout[-400:])
    print(
        f"{took:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processor time, at most {used.ru_maxrss // 1024} MiB; "
        f"exit status {done.returncode}, {User.objects.count()} accounts, {LoginAttempt.objects.count()} attempts"
    )


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    server = sys.argv[2] if len(sys.argv) > 2 else "mysql://root@127.0.0.1:3306"
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with filled_source(server, people) as source:
            measure(source)
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
