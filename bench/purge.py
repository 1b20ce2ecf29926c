"""Measures logins beside `manage.py purge` of a million expired sessions, on PostgreSQL.

    DATABASE_URL=postgres://… .venv/bin/python bench/purge.py [sessions] [logins a second]

Logins come at a fixed rate, whether earlier ones have been answered or not: 20 seconds alone, then while the purge
runs in a process of its own, at most 240 seconds, then 20 seconds alone again. The script creates a temporary database
and drops it at the end.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
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
ALONE_SECONDS = 20
LONGEST_SECONDS = 240
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


def log_in(number: int, due: float) -> float:
    """Log in at a time, and return how many milliseconds later the answer was there. Raises RuntimeError."""
    time.sleep(max(0.0, due - time.perf_counter()))
    body = {"username": f"user{number % ACCOUNTS}", "password": PASSWORD}
    address = f"10.1.{number % ACCOUNTS // 250}.{number % 250}"
    answer = Client(REMOTE_ADDR=address).post("/api/auth/login", body, content_type="application/json")
    if answer.status_code != 200:
        raise RuntimeError(f"A login was answered with {answer.status_code}.")
    return (time.perf_counter() - due) * 1000


def load(rate: float, done: Callable[[float], bool]) -> list[float]:
    """Log in at a rate until `done`, which gets the seconds since the start; return the times in milliseconds."""
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        answers = []
        while not done(elapsed := time.perf_counter() - start):
            number = len(answers)
            if number > elapsed * rate:
                time.sleep(number / rate - elapsed)
            answers.append(pool.submit(log_in, number, start + number / rate))
        found = [answer.result() for answer in answers]
        list(pool.map(lambda _: (time.sleep(0.05), connections.close_all()), range(THREADS)))
    return found


def show(name: str, times: list[float]) -> float:
    median = statistics.median(times)
    print(f"{name}: {len(times)} logins, median {median:.1f} ms, p95 {statistics.quantiles(times, n=20)[-1]:.1f} ms")
    return median


def measure(rate: float) -> None:
    name = connection.settings_dict["NAME"]
    url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    load(rate, lambda seconds: seconds > 3)
    before = show("alone", load(rate, lambda seconds: seconds > ALONE_SECONDS))
    started = time.perf_counter()
    command = [sys.executable, "manage.py", "purge", "--only", "sessions"]
    environment = {**os.environ, "DATABASE_URL": url}
    purge = subprocess.Popen(command, cwd=ROOT, env=environment)  # noqa: S603 The command is constant.
    try:
        beside = show(
            "beside a purge", load(rate, lambda seconds: purge.poll() is not None or seconds > LONGEST_SECONDS)
        )
        print(f"the purge ran for {time.perf_counter() - started:.0f} s; exit status {purge.poll()}")
    finally:
        purge.terminate()
        purge.wait()
    left = Session.objects.filter(stamp="x").count()
    after = show("alone again", load(rate, lambda seconds: seconds > ALONE_SECONDS))
    print(f"{left} expired sessions left; medians: {beside / ((before + after) / 2) - 1:+.0%} beside the purge")


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
