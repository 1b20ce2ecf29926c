"""Measures the admin site's first page over a million attempts, on PostgreSQL; prints times and the slowest plan.

    DATABASE_URL=postgres://… .venv/bin/python bench/dashboard.py [attempts] [days]

The attempts lie within the last 14 days or the number given, because the page counts no older ones. The script
creates a temporary database and drops it at the end.
"""

import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, get_runner, override_settings  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.tests.admin_client import logged_in  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402

ROUNDS = 11
# Nine of ten good, addresses by the thousand, at times that follow each other as those of a trail do.
ATTEMPTS = """
INSERT INTO audit_loginattempt
    (user_id, contract, ip, user_agent, request_id, at, identifier, status, failure_reason, repeats)
SELECT n % 50000, 'native', ('10.0.' || n % 200 || '.' || n % 251)::inet, 'Firefox on a ward computer', md5(n::text),
    now() - interval '1 day' * {days} * (1 - n::float / {attempts}), 'user' || n % 50000,
    CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'success' END,
    CASE WHEN n % 10 = 0 THEN (ARRAY['wrong_password', 'unknown_user', 'locked'])[n % 3 + 1] ELSE '' END, 1
FROM generate_series(1, {attempts}) AS n
"""
SESSIONS = """
INSERT INTO accounts_session
    (id, user_id, stamp, contract, ip, user_agent, created_at, last_seen_at, expires_at, latest_end_at, end_reason,
     generation, rotated_at)
SELECT gen_random_uuid(), {user}, 'x', 'native', '10.0.0.1', 'Firefox', now() - interval '1 second' * n,
    now() - interval '1 second' * n, now() + interval '14 days', now() + interval '30 days', '', 0, now()
FROM generate_series(1, {sessions}) AS n
"""
BUDGETS = """
INSERT INTO accounts_attemptbudget
    (purpose, account_id, name_digest, address, count, in_flight, locks, last_success_at, expires_at, refused)
SELECT 'login', n, '', '10.0.0.1', 0, 0, 0, now(), now() + interval '1 day', 0 FROM generate_series(1, {sessions}) AS n
"""


def fill(attempts: int, days: int) -> Client:
    """Make the rows; return a client that has logged in."""
    user = User.objects.create_superuser("root", None, PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute(ATTEMPTS.format(attempts=attempts, days=days))
        cursor.execute(SESSIONS.format(sessions=attempts // 10, user=user.pk))
        cursor.execute(BUDGETS.format(sessions=attempts // 10))
        # What autovacuum does by itself a minute later.
        cursor.execute("VACUUM ANALYZE")
    return logged_in(user)


def measure(client: Client) -> None:
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = client.get("/admin/")
        taken.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"The page answered {answer.status_code}.")
    print(f"page: median {statistics.median(taken):.0f} ms, slowest {max(taken):.0f} ms of {ROUNDS}")
    with CaptureQueriesContext(connection) as captured:
        client.get("/admin/")
    queries = sorted(captured.captured_queries, key=lambda query: -float(query["time"]))
    for query in queries[:5]:
        print(f"{float(query['time']) * 1000:5.0f} ms  {query['sql'][:100]}")
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + queries[0]["sql"].replace("%", "%%"))
        print(*(line for (line,) in cursor.fetchall()), sep="\n")


def main() -> None:
    attempts, days = (int(word) for word in [*sys.argv[1:], *["1000000", "14"][len(sys.argv) - 1 :]])
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with override_settings(ALLOWED_HOSTS=["testserver"]):
            measure(fill(attempts, days))
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
