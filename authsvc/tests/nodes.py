"""Two nodes behind nginx, as docs/production.md and the files in deploy/ start them, for what only such a set shows."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import pytest
from django.conf import settings

from accounts.tests.tools import PASSWORD
from authsvc.tests.server import free_port

HOST = "auth.example.org"
JSON = {"Content-Type": "application/json"}
# A .env of this checkout is not the operator's.
MAIN = """
import sys
from authsvc.configuration import env
env.ENV_FILE = None
if sys.argv[1] == "manage.py":
    from django.core.management import execute_from_command_line
    sys.exit(execute_from_command_line(sys.argv[1:]))
from gunicorn.app.wsgiapp import run
sys.exit(run())
"""


def installed(program: str) -> str:
    """Return the path of a program; one that is missing fails the test under CI and skips it elsewhere."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{program} is not installed.")
    return path


def production_block() -> str:
    """Return the commands of docs/production.md, without those for users, systemd, nginx."""
    page = (settings.BASE_DIR / "docs/production.md").read_text(encoding="utf-8")
    match = re.search(r"<!-- production:.*?```sh\n(.*?)```", page, re.DOTALL)
    assert match
    of_the_machine = ("useradd", "chown", "systemctl", "cp deploy/systemd", "cp deploy/nginx", "nginx ")
    return "".join(line for line in match[1].splitlines(keepends=True) if not line.startswith(of_the_machine))


def follow_guide(folder: Path) -> tuple[dict[str, str], str]:
    """Run these commands on a database file; return the variables that its file has, and what was printed."""
    script = production_block().replace("/etc/authsvc", str(folder)).replace(" -g authsvc", "")
    script = script.replace(".venv/bin/python manage.py", '"$PYTHON" -c "$MAIN" manage.py')
    script = script.replace("postgres://authsvc:password@127.0.0.1:5432/authsvc", f"sqlite:///{folder}/db.sqlite3")
    script = script.replace(
        "cp deploy/authsvc.env.example", f"sed s#/etc/authsvc#{folder}# deploy/authsvc.env.example >"
    )
    script = script.replace("createsuperuser ", "createsuperuser --noinput --username root --email root@a.example ")
    path = os.environ["PATH"]
    given = {"PATH": path, "PYTHON": sys.executable, "MAIN": MAIN, "DJANGO_SETTINGS_MODULE": "authsvc.settings"}
    done = subprocess.run(
        ["bash", "-eu", "-c", f"umask 077\n{script}\nenv"],
        cwd=settings.BASE_DIR,
        env={**given, "DJANGO_SUPERUSER_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (folder / "authsvc.env").read_text(encoding="utf-8").splitlines()
    variables = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {**given, **variables}, done.stdout + done.stderr


@dataclass
class Node:
    """gunicorn by deploy/gunicorn.conf.py, on a socket that stays open while it restarts, as systemd's does.

    `release` is the folder with the code, and `arguments` are those with which that release's guide starts gunicorn;
    `preparation` is code that runs before it.
    """

    variables: dict[str, str]
    log: Path
    release: Path = settings.BASE_DIR
    arguments: tuple[str, ...] = ("-c", "deploy/gunicorn.conf.py")
    preparation: str = ""
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=2048))
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def start(self) -> None:
        number = self.listening.fileno()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.preparation + MAIN, *self.arguments, "--bind", f"fd://{number}"],
                cwd=self.release,
                env=self.variables,
                pass_fds=[number],
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            assert self.process.wait(timeout=40) == 0, self.log.read_text(encoding="utf-8")
            self.process = None

    def get(self, path: str, headers: dict[str, str], timeout: float = 30) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


def nginx_configuration(folder: Path, certificate: Path, ports: list[int], plain: int, tls: int) -> Path:
    """Write deploy/nginx.conf with the addresses and the files of a test."""
    text = (settings.BASE_DIR / "deploy/nginx.conf").read_text(encoding="utf-8")
    replaced = {
        "10.0.0.11:8000": f"127.0.0.1:{ports[0]}",
        "10.0.0.12:8000": f"127.0.0.1:{ports[1]}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl http2;",
        "/etc/nginx/tls/authsvc.pem": str(certificate),
        "/etc/nginx/tls/authsvc.key": str(certificate),
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "/var/log/nginx": str(folder),
        "worker_processes auto;": "worker_processes 1;\ndaemon off;",
    }
    for former, present in replaced.items():
        assert former in text, former
        text = text.replace(former, present)
    # Its folders for bodies, of which it uses none.
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"    {name}_temp_path {folder}/{name};\n" for name in names)
    file = folder / "nginx.conf"
    file.write_text(text.replace("http {\n", f"http {{\n{folders}", 1), encoding="utf-8")
    return file


@dataclass
class Cluster:
    nodes: list[Node]
    plain: int
    tls: int

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, *, tls: bool = True
    ) -> tuple[int, bytes]:
        """Ask nginx; the status is 0 where no answer came."""
        context = ssl._create_unverified_context()  # noqa: S323 The test's own certificate.
        connection = HTTPSConnection("127.0.0.1", self.tls, timeout=40, context=context)
        if not tls:
            connection = HTTPConnection("127.0.0.1", self.plain, timeout=40)  # type: ignore[assignment]
        try:
            connection.request(method, path, body, {"Host": HOST, **JSON, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            return 0, b""
        finally:
            connection.close()


@contextmanager
def cluster(folder: Path, certificate: Path, variables: dict[str, str]) -> Iterator[Cluster]:
    """Start nginx and two nodes, of which the first has two processes."""
    nodes = [
        Node({**variables, "WEB_CONCURRENCY": str(processes)}, folder / f"node{processes}.log") for processes in (2, 1)
    ]
    plain, tls = free_port(), free_port()
    file = nginx_configuration(folder, certificate, [node.port for node in nodes], plain, tls)
    with subprocess.Popen([installed("nginx"), "-c", str(file), "-p", str(folder)], stderr=subprocess.DEVNULL) as nginx:
        try:
            for node in nodes:
                node.start()
            set_of_nodes = Cluster(nodes, plain, tls)
            _wait(set_of_nodes)
            yield set_of_nodes
        finally:
            nginx.terminate()
            for node in nodes:
                with suppress(AssertionError):
                    node.stop()
                node.listening.close()


def _wait(started: Cluster) -> None:
    deadline = time.monotonic() + 60
    while started.call("GET", "/readyz")[0] != 200:
        assert time.monotonic() < deadline, [node.log.read_text(encoding="utf-8") for node in started.nodes]
        time.sleep(0.1)
