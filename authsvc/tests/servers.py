"""The service as docs/production.md starts it: processes of their own, which can be killed."""

import http.client
import json
import os
import signal
import socket
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from authsvc.tests import processes

# A .env of this checkout is not the operator's.
_MAIN = """
import sys
from authsvc.configuration import env
env.ENV_FILE = None
if sys.argv[1] == "manage.py":
    from django.core.management import execute_from_command_line
    sys.exit(execute_from_command_line(sys.argv[1:]))
from gunicorn.app.wsgiapp import run
sys.exit(run())
"""
_GUNICORN = ("authsvc.wsgi:application", "--worker-class", "authsvc.gunicorn_worker.Worker", "--threads", "24")


class Server:
    """gunicorn on a database file, on a port of its own, in a process group of its own."""

    def __init__(self, database: Path, log: Path) -> None:
        self.environment = {
            "DEBUG": "true",
            "DATABASE_URL": f"sqlite:///{database}",
            # So that every person of a test can have an address of their own.
            "TRUSTED_PROXIES": "1",
            "DJANGO_SETTINGS_MODULE": "authsvc.settings",
        }
        self.log = log
        self.port = 0
        self._process: ForkServerProcess | None = None

    def migrate(self) -> None:
        done = processes.run(_MAIN, "manage.py", "migrate", "--verbosity", "0", environment=self.environment)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it and wait until it answers."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            self._process = processes.start(
                _MAIN,
                *_GUNICORN,
                environment=self.environment,
                output=self.log,
                errors=self.log,
                listening=listening,
            )
        deadline = time.monotonic() + 30
        while self.call("GET", "/readyz", timeout=5)[0] != 200:
            if time.monotonic() > deadline or not self._process.is_alive():
                raise AssertionError(self.log.read_text(encoding="utf-8"))

    def kill(self) -> None:
        """End all of its processes at once, as a power cut would."""
        if self._process:
            os.killpg(self._process.pid or 0, signal.SIGKILL)
            self._process.join()
            self._process = None

    def call(
        self, method: str, path: str, body: object = None, token: str = "", address: str = "", timeout: float = 20
    ) -> tuple[int, Any]:
        """Return an answer's status and its body; raises OSError or HTTPException where none came whole."""
        headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, b"" if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(content) if content else None
