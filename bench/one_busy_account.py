"""Measures the logins and `me` of other users while one account logs in over many connections; prints medians.

    .venv/bin/python bench/one_busy_account.py

It creates a temporary database (on DATABASE_URL's server, or SQLite), serves it with gunicorn as in production, and
drops it at the end. The account may log in 120 times in 10 minutes: until then its requests are hashed, and then
refused. The two times are measured apart. The exit status is 1 where a median is over its limit.
"""

import http.client
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import django

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "authsvc.tests.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test.utils import get_runner  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.security import hashing  # noqa: E402
from accounts.tests.tools import PASSWORD  # noqa: E402

CONNECTIONS = 32
# So many others log in and ask, one after the other; an account of theirs has far fewer logins than it may have.
OTHERS = 20
SECONDS_IDLE, SECONDS_BUSY = 5, 20
# Between two requests of the others.
PAUSE = 0.1
# Seconds, of the medians while the account is busy.
LIMITS = {"login": 0.3, "me": 0.1}

Sample = tuple[float, float, int]


class Connection:
    """A connection that stays open, as a proxy's does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            self._http.request(method, f"/api/auth/{path}", json.dumps(body) if body else None, headers)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._http.close()
            return 0, b""

    def log_in(self, name: str) -> tuple[int, bytes]:
        return self.ask("POST", "login", {"username": name, "password": PASSWORD})


def keep_busy(port: int, seconds: float) -> list[Sample]:
    """Log one account in over all connections; return when each request began, how long it took, and its status."""
    until = time.time() + seconds

    def one(_number: int) -> list[Sample]:
        connection, samples = Connection(port), []
        while time.time() < until:
            samples.append(timed(lambda: connection.log_in("busy")[0]))
        return samples

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return [sample for samples in threads.map(one, range(CONNECTIONS)) for sample in samples]


def timed(ask: Any) -> Sample:
    began, started = time.time(), time.perf_counter()
    status = ask()
    return began, time.perf_counter() - started, status


def others(port: int, seconds: float) -> dict[str, list[Sample]]:
    """Return the samples of other users: logins, and requests for `me`."""
    until = time.time() + seconds
    token = json.loads(Connection(port).log_in("other0")[1])["access_token"]

    def logins() -> list[Sample]:
        connection, samples = Connection(port), []
        while time.time() < until:
            name = f"other{len(samples) % OTHERS}"
            samples.append(timed(lambda name=name: connection.log_in(name)[0]))
            time.sleep(PAUSE)
        return samples

    def requests() -> list[Sample]:
        connection, samples = Connection(port), []
        while time.time() < until:
            samples.append(timed(lambda: connection.ask("GET", "me", token=token)[0]))
            time.sleep(PAUSE)
        return samples

    with ThreadPoolExecutor(2) as threads:
        login, me = threads.submit(logins), threads.submit(requests)
        return {"login": login.result(), "me": me.result()}


@contextmanager
def database() -> Iterator[str]:
    """Create a temporary database with the accounts; yields its URL."""
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        encoded = hashing.make(PASSWORD)
        User.objects.bulk_create(
            User(username=name, username_key=name, password=encoded)
            for name in ("busy", *(f"other{number}" for number in range(OTHERS)))
        )
        url = urlsplit(os.environ.get("DATABASE_URL", ""))
        name = str(connection.settings_dict["NAME"])
        connections.close_all()
        yield urlunsplit(url._replace(path=f"/{name}")) if url.scheme else f"sqlite:///{name}"
    finally:
        runner.teardown_databases(databases)


@contextmanager
def serving(url: str) -> Iterator[int]:
    """Serve as docs/production.md says, with a process per core; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(60),
        "ALLOWED_HOSTS": "127.0.0.1",
        "REQUIRE_HTTPS": "false",
        "DATABASE_URL": url,
        "WEB_CONCURRENCY": str(os.cpu_count()),
    }
    worker = ["--worker-class", "authsvc.gunicorn_worker.Worker", "--threads", "24"]
    command = [sys.executable, "-m", "gunicorn", *worker, "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(  # noqa: S603 The command is written here.
        [*command, "authsvc.wsgi:application"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        # Every process has been asked before anything is measured.
        for _ in range(20):
            Connection(port).ask("GET", "me")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def report(title: str, samples: dict[str, list[Sample]]) -> bool:
    """Print the medians; return whether they are within the limits."""
    within = True
    print(title)
    for name, found in samples.items():
        if not found:
            print(f"  {name:6} none")
            continue
        taken = sorted(seconds for _began, seconds, _status in found)
        median = statistics.median(taken)
        within &= median <= LIMITS[name]
        worst = taken[int(len(taken) * 0.95)]
        statuses = dict(Counter(status for _began, _seconds, status in found))
        print(f"  {name:6} median {median * 1000:6.0f} ms   95 % {worst * 1000:6.0f} ms   {statuses}")
    return within


def main() -> None:
    # The process that keeps the account busy is another one, so that it does not slow down the clock of the others.
    with ProcessPoolExecutor(1) as processes, database() as url, serving(url) as port:
        report("idle", others(port, SECONDS_IDLE))
        busy = processes.submit(keep_busy, port, SECONDS_BUSY)
        found = others(port, SECONDS_BUSY)
        sent = busy.result()
    evaluated = max(began for began, _seconds, status in sent if status == 200)
    print(f"one account over {CONNECTIONS} connections: {dict(Counter(status for _, _, status in sent))}")
    hashed, refused = (
        {name: [sample for sample in samples if (sample[0] <= evaluated) is early] for name, samples in found.items()}
        for early in (True, False)
    )
    within = report("while its logins are evaluated", hashed)
    within &= report("while they are refused", refused)
    if not within:
        raise SystemExit(f"A median is over its limit: {LIMITS}.")


if __name__ == "__main__":
    main()
