"""The service under a real server, for what only one shows."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils.datastructures import CaseInsensitiveMapping

from accounts.tests.tools import PASSWORD
from authsvc.tests import processes
from authsvc.tests.test_deployment import PRODUCTION, RUN, SERVE

# As the proxy that ends TLS says it.
HOST = "Host: auth.hospital.example\r\nX-Forwarded-Proto: https\r\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: CaseInsensitiveMapping[str]
    cookies: list[str]
    body: bytes


class Server:
    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, request: bytes, *, finish: bool = False, timeout: float = 5) -> Answer:
        """Send bytes as they are, and return what comes back."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(request)
            if finish:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        cookies = [value for name, value in pairs if name == "Set-Cookie"]
        return Answer(int(status.split()[1]), CaseInsensitiveMapping(pairs), cookies, body)

    def ask(
        self, path: str, headers: str = "", body: bytes = b"", method: str = "POST", *, finish: bool = False
    ) -> Answer:
        host = "" if "Host: " in headers else HOST
        head = f"{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n"
        return self.send(head.encode("latin-1") + body, finish=finish)

    def get(self, path: str, headers: str = "") -> Answer:
        return self.ask(path, headers, method="GET")


class From(Server):
    """The same server, for a browser that shows a page of some origin."""

    def __init__(self, port: int, origin: str) -> None:
        super().__init__(port)
        self.origin = origin

    def send(self, request: bytes, *, finish: bool = False, timeout: float = 5) -> Answer:
        head, end, body = request.partition(b"\r\n\r\n")
        return super().send(head + f"\r\nOrigin: {self.origin}".encode() + end + body, finish=finish, timeout=timeout)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """gunicorn as docs/production.md starts it, with one process, over a database of its own."""
    variables = {
        **PRODUCTION,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "TRUSTED_PROXIES": "1",
        "DOCS": "public",
        "CORS_ALLOWED_ORIGINS": "https://app.hospital.example",
    }
    for command in (
        ["migrate", "-v0"],
        ["createsuperuser", "--noinput", "--username", "root", "--email", "r@a.example"],
    ):
        done = processes.run(RUN, *command, environment={**variables, "DJANGO_SUPERUSER_PASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
    server, log = Server(free_port()), folder / "log"
    address = f"127.0.0.1:{server.port}"
    process = processes.start(SERVE, address, environment=variables, output=log, errors=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert server.get("/healthz").status == 200
                break
            # The socket is open before the worker has loaded the application, which takes longer under load.
            except (ConnectionRefusedError, TimeoutError):
                assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.join(30)
