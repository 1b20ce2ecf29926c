"""Measures logins beside `manage.py purge` of a million expired sessions, on PostgreSQL.

    DATABASE_URL=postgres://… .venv/bin/python bench/purge.py [sessions] [logins a second]

Logins come at a fixed rate, whether earlier ones have been answered or not, for 8 rounds of 5 seconds while the purge,
a process of its own, is stopped and 5 seconds while it runs; what else the machine does falls on both alike. The script
creates a temporary database and drops it at the end.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import get_runner, override_settings  # noqa: E402

from accounts.models import Session, User  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402

ACCOUNTS = 400
THREADS = 12
SECONDS = 5
ROUNDS = 8
EXPIRED = """
INSERT INTO accounts_session (id, user_id, stamp, contract, ip, user_agent, created_at, last_seen_at, expires_at,
    latest_end_at, end_reason, generation, rotated_at)
SELECT gen_random_uuid(), {user}, 'x', 'native', '10.0.0.1', 'Firefox',
    now() - interval '200 days' - interval '1 s' * n, now(), now() - interval '100 days', now(), '', 0, now()
FROM generate_series(1, {sessions}) AS n
"""


def fill(sessions: int) -> None:
    encoded = make_password(PASSWORD)
    User.objects.bulk_create(User(username=f"user{n}", password=encoded, role="doctor") for n in range(ACCOUNTS))
    with connection.cursor() as cursor:
        cursor.execute(EXPIRED.format(user=User.objects.first().pk, sessions=sessions))
        cursor.execute("VACUUM ANALYZE")


def log_in(number: int, due: float) -> float | None:
    """Log in at a time; return after how many milliseconds the answer was there, or None for a refused login."""
    time.sleep(max(0.0, due - time.perf_counter()))
    body = {"username": f"user{number % ACCOUNTS}", "password": PASSWORD}
    address = f"10.1.{number % ACCOUNTS // 250}.{number % 250}"
    answer = Client(REMOTE_ADDR=address).post("/api/auth/login", body, content_type="application/json")
    return (time.perf_counter() - due) * 1000 if answer.status_code == 200 else None


def load(pool: ThreadPoolExecutor, first: int, rate: float) -> list[float | None]:
    """Log in at a rate for SECONDS, from account number `first` on; return the times in milliseconds."""
    start = time.perf_counter() + 0.1
    count = int(SECONDS * rate)
    return list(pool.map(lambda number: log_in(first + number, start + number / rate), range(count)))


def show(name: str, times: list[float | None]) -> float:
    answered = [each for each in times if each is not None]
    median, slow = statistics.median(answered), statistics.quantiles(answered, n=20)[-1]
    print(f"{name}: {len(times)} logins, {times.count(None)} refused, median {median:.1f} ms, p95 {slow:.1f} ms")
    return median


def measure(rate: float) -> None:
    url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "manage.py", "purge", "--only", "sessions"]
    expired = Session.objects.filter(stamp="x")
    before = expired.count()
    alone, beside, number = [], [], 0
    with ThreadPoolExecutor(THREADS) as pool:
        load(pool, 0, rate)
        purge = subprocess.Popen(  # noqa: S603 The command is constant.
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            # It starts.
            time.sleep(5)
            for _round in range(ROUNDS):
                for sign, times in ((signal.SIGSTOP, alone), (signal.SIGCONT, beside)):
                    purge.send_signal(sign)
                    number += int(SECONDS * rate)
                    times += load(pool, number, rate)
            is_running = purge.poll() is None
        finally:
            purge.terminate()
            purge.wait()
        list(pool.map(lambda _: (time.sleep(0.05), connections.close_all()), range(THREADS)))
    ratio = show("purge stopped", alone) and show("purge running", beside) / statistics.median(filter(None, alone))
    removed = before - expired.count()
    print(f"median {ratio - 1:+.0%}; the purge removed {removed} rows{' and was still running' if is_running else ''}")


def main() -> None:
    sessions, rate = (int(word) for word in [*sys.argv[1:], *["1000000", "50"][len(sys.argv) - 1 :]])
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with override_settings(ALLOWED_HOSTS=["testserver"]):
            fill(sessions)
            measure(rate)
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
