"""Measures requests with 1,000 users and with a million users and 10 million login attempts, on PostgreSQL.

    DATABASE_URL=postgres://… .venv/bin/python bench/growth.py [users] [attempts]

Each figure is the tenth of blocks of requests that took least, in one process without a server, and with hashes of a
thousandth of the cost, which would cover everything else of a login. The script creates a temporary database, which
needs 10 GB at the full size, and drops it at the end.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import get_runner, override_settings  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.security.hashers import Argon2id  # noqa: E402
from accounts.tests.admin_client import logged_in  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402
from authsvc.configuration.maintenance import maintenance_limits  # noqa: E402

SMALL = (1_000, 10_000)
BLOCKS, LARGEST_BLOCK, BLOCK_SECONDS = 30, 40, 0.5
AT_ONCE = 1_000_000
FIRST_USER = 1_000_000
# An account may log in 120 times in ten minutes.
PEOPLE = 100
USERS = (ROOT / "bench/users.sql").read_text(encoding="utf-8")
# One session of ten goes on.
SESSIONS = """
INSERT INTO accounts_session
    (id, user_id, stamp, contract, ip, user_agent, created_at, last_seen_at, expires_at, latest_end_at, ended_at,
     end_reason, generation, rotated_at)
SELECT gen_random_uuid(), id, stamp, 'native', '10.0.0.1', 'Firefox', now() - interval '14 days' * random(), now(),
    now() + interval '14 days',
    now() + interval '30 days', CASE WHEN id % 10 > 0 THEN now() END, CASE WHEN id % 10 > 0 THEN 'logout' ELSE '' END,
    0, now()
FROM accounts_user WHERE id BETWEEN {first} AND {last}
"""
ATTEMPTS = """
INSERT INTO audit_loginattempt
    (id, user_id, contract, ip, user_agent, request_id, at, identifier, status, failure_reason, repeats)
SELECT n, {first} + n % {users}, 'native', ('10.0.' || n % 200 || '.' || n % 251)::inet, 'Firefox on a ward computer',
    md5(n::text), now() - interval '400 days' * (1 - n::float / {attempts}), 'user' || {first} + n % {users},
    CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'success' END, CASE WHEN n % 10 = 0 THEN 'wrong_password' ELSE '' END, 1
FROM generate_series({start}, {end}) AS n
"""


def fill(users: int, attempts: int, present: tuple[int, int] = (0, 0)) -> None:
    """Add users with a session each, and login attempts, to those that are present, up to so many."""
    first, last = FIRST_USER + present[0] + 1, FIRST_USER + users
    statement = USERS.replace("SELECT 1 UNION", f"SELECT {first} UNION").replace("{n}", str(last))
    with maintenance_limits(connection), connection.cursor() as cursor:
        cursor.execute(statement.replace("{django_hash}", make_password(PASSWORD)))
        cursor.execute(SESSIONS.format(first=first, last=last))
        for start in range(present[1] + 1, attempts + 1, AT_ONCE):
            end = min(start + AT_ONCE - 1, attempts)
            cursor.execute(ATTEMPTS.format(first=FIRST_USER, users=users, attempts=attempts, start=start, end=end))
            print(f"\r{end} login attempts", end="", flush=True)
        print()
        # What autovacuum does by itself a minute later.
        cursor.execute("VACUUM ANALYZE")


class Requests:
    """The requests of some people, one after the other, and of an administrator at the admin site."""

    def __init__(self, site: Client) -> None:
        self._site = site
        self._client = Client(REMOTE_ADDR="10.0.0.1")
        self._names = cycle(f"user{FIRST_USER + number}" for number in range(1, PEOPLE + 1))
        answer = self.log_in().json()
        self._access, self._refresh = answer["access_token"], answer["refresh_token"]

    def all(self) -> Mapping[str, Callable[[], object]]:
        return {
            "me": self.me,
            "refresh": self.refresh,
            "login": self.log_in,
            "people": partial(self._page, "accounts/user/"),
            "people, searched by name": partial(self._page, f"accounts/user/?q=user{FIRST_USER + 7}"),
            "sessions that go on": partial(self._page, "accounts/session/"),
            "login attempts": partial(self._page, "audit/loginattempt/"),
            "login attempts of a name": partial(self._page, f"audit/loginattempt/?q=user{FIRST_USER + 7}"),
        }

    def me(self) -> None:
        require_ok(self._client.get("/api/auth/me", headers={"Authorization": f"Bearer {self._access}"}))

    def refresh(self) -> None:
        self._refresh = self._post("refresh", {"refresh_token": self._refresh}).json()["refresh_token"]

    def log_in(self) -> Any:
        return self._post("login", {"username": next(self._names), "password": PASSWORD})

    def _post(self, verb: str, body: Mapping[str, str]) -> Any:
        return require_ok(self._client.post(f"/api/auth/{verb}", body, content_type="application/json"))

    def _page(self, path: str) -> None:
        require_ok(self._site.get(f"/admin/{path}"))


def require_ok(answer: Any) -> Any:
    if answer.status_code != 200:
        raise SystemExit(f"{answer.status_code}: {answer.content[:200]!r}")
    return answer


def milliseconds(request: Callable[[], object]) -> float:
    """Return how long a request takes in the tenth of blocks that took least."""
    started = time.perf_counter()
    request()
    once = time.perf_counter() - started
    size = max(1, min(LARGEST_BLOCK, int(BLOCK_SECONDS / once)))
    blocks = []
    for _ in range(BLOCKS):
        started = time.perf_counter()
        for _ in range(size):
            request()
        blocks.append((time.perf_counter() - started) / size * 1_000)
    return sorted(blocks)[BLOCKS // 10]


def measure() -> dict[str, float]:
    requests = Requests(logged_in(User.objects.get(username="root")))
    return {name: milliseconds(request) for name, request in requests.all().items()}


def main() -> None:
    users, attempts = (int(word) for word in [*sys.argv[1:], *["1000000", "10000000"][len(sys.argv) - 1 :]])
    logging.disable(logging.INFO)
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        cheap = mock.patch.multiple(Argon2id, memory_cost=16, time_cost=1)
        with override_settings(ALLOWED_HOSTS=["testserver"]), cheap:
            User.objects.create_superuser("root", None, PASSWORD)
            fill(*SMALL)
            before = measure()
            fill(users, attempts, SMALL)
            after = measure()
        print(f"{'':26}{SMALL[0]:>12,} users{users:>12,} users{'ratio':>8}")
        for name, took in after.items():
            print(f"{name:26}{before[name]:>15.2f} ms{took:>15.2f} ms{took / before[name]:>8.2f}")
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
