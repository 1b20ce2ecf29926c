"""Measures logins beside `manage.py purge` of a million expired sessions, on PostgreSQL.

    DATABASE_URL=postgres://… .venv/bin/python bench/purge.py [sessions] [logins a second]

The service runs as in production, with two processes of gunicorn. Logins come over HTTP at a fixed rate (default 50),
whether earlier ones have been answered or not, for 8 rounds of 5 seconds while the purge, a process of its own, is
stopped and 5 seconds while it runs; what else the machine does falls on both alike. A rate that the machine cannot
sustain measures its queue instead. The script creates a temporary database and drops it at the end.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import get_runner  # noqa: E402

from accounts.models import Session, User  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402

ACCOUNTS = 400
THREADS = 24
SECONDS = 5
ROUNDS = 8
EXPIRED = """
INSERT INTO accounts_session (id, user_id, stamp, contract, ip, user_agent, created_at, last_seen_at, expires_at,
    latest_end_at, end_reason, generation, rotated_at)
SELECT gen_random_uuid(), {user} + n % {accounts}, 'x', 'native', '10.0.0.1', 'Firefox',
    now() - interval '200 days' - interval '1 s' * n, now(), now() - interval '100 days', now(), '', 0, now()
FROM generate_series(1, {sessions}) AS n
"""


def fill(sessions: int) -> None:
    encoded = make_password(PASSWORD)
    User.objects.bulk_create(User(username=f"user{n}", password=encoded, role="doctor") for n in range(ACCOUNTS))
    with connection.cursor() as cursor:
        cursor.execute(EXPIRED.format(user=User.objects.earliest("pk").pk, accounts=ACCOUNTS, sessions=sessions))
        cursor.execute("VACUUM ANALYZE")
        # Otherwise the disk still writes these rows while the logins are measured.
        cursor.execute("CHECKPOINT")


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[int]:
    """Start the production command, wait until it is ready, and yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(  # noqa: S603 The command is the script's own.
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not is_ready(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The service does not become ready.")
            time.sleep(0.2)
        yield port
    finally:
        server.terminate()
        server.wait()


def is_ready(port: int) -> bool:
    try:
        return request(port, "GET", "/readyz") == 200
    except OSError:
        return False


def request(port: int, method: str, path: str, body: object = None, address: str = "10.0.0.1") -> int:
    """Return the status of the response."""
    forwarded = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "Content-Type": "application/json"}
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request(method, path, json.dumps(body), forwarded)
        response = client.getresponse()
        response.read()
    finally:
        client.close()
    return response.status


def log_in(port: int, number: int, due: float) -> float | None:
    """Log in at a time; return after how many milliseconds the answer was there, or None for a refused login."""
    time.sleep(max(0.0, due - time.perf_counter()))
    body = {"username": f"user{number % ACCOUNTS}", "password": PASSWORD}
    address = f"10.1.{number % ACCOUNTS // 250}.{number % 250}"
    status = request(port, "POST", "/api/auth/login", body, address)
    return (time.perf_counter() - due) * 1000 if status == 200 else None


def load(pool: ThreadPoolExecutor, port: int, first: int, rate: float) -> list[float | None]:
    """Log in at a rate for SECONDS, from account number `first` on; return the times in milliseconds."""
    start = time.perf_counter() + 0.1
    count = int(SECONDS * rate)
    return list(pool.map(lambda number: log_in(port, first + number, start + number / rate), range(count)))


def show(name: str, times: list[float | None]) -> float:
    answered = [each for each in times if each is not None]
    median, slow = statistics.median(answered), statistics.quantiles(answered, n=20)[-1]
    print(f"{name}: {len(times)} logins, {times.count(None)} refused, median {median:.1f} ms, p95 {slow:.1f} ms")
    return median


def measure(rate: float) -> None:
    url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    production = {
        **os.environ,
        "DATABASE_URL": url,
        "DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "authsvc.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "TRUSTED_PROXIES": "1",
        "WEB_CONCURRENCY": "2",
    }
    expired = Session.objects.filter(stamp="x")
    before = expired.count()
    alone: list[float | None] = []
    beside: list[float | None] = []
    number = 0
    with serving(production) as port, ThreadPoolExecutor(THREADS) as pool:
        load(pool, port, 0, rate)
        purge = subprocess.Popen(
            [sys.executable, "manage.py", "purge", "--only", "sessions"],
            cwd=ROOT,
            env=production,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            # It starts.
            time.sleep(5)
            for _round in range(ROUNDS):
                for sign, times in ((signal.SIGSTOP, alone), (signal.SIGCONT, beside)):
                    purge.send_signal(sign)
                    number += int(SECONDS * rate)
                    times += load(pool, port, number, rate)
            is_running = purge.poll() is None
        finally:
            purge.send_signal(signal.SIGCONT)
            purge.terminate()
            purge.wait()
    ratio = show("purge running", beside) / show("purge stopped", alone)
    removed = before - expired.count()
    print(f"median {ratio - 1:+.0%}; the purge removed {removed} rows{' and was still running' if is_running else ''}")


def main() -> None:
    sessions, rate = (int(word) for word in [*sys.argv[1:], *["1000000", "50"][len(sys.argv) - 1 :]])
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        fill(sessions)
        measure(rate)
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
