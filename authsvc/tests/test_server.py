"""What only a real server shows: bodies without a length or with a false one, and that the worker lives on."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts.tests.contracts.doors import DOORS, Door
from authsvc.tests.test_deployment import PRODUCTION, RUN

pytestmark = pytest.mark.any_database

BODY = (
    b'{"username": "nobody", "email": "nobody@a.example", "phone": "13900139000", "password": "x", '
    b'"userType": "DOCTOR"}'
)
ME = "GET /api/auth/me HTTP/1.1\r\nHost: auth.hospital.example\r\n"
JSON = "Content-Type: application/json\r\n"
CHUNKED = JSON + "Transfer-Encoding: chunked\r\n"
SERVE = """
from authsvc import env
env.ENV_FILE = None
import sys
from gunicorn.app.wsgiapp import run
sys.argv = ["gunicorn", "--threads", "4", "--bind", sys.argv[1], "authsvc.wsgi:application"]
run()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, request: bytes, *, finish: bool = False) -> tuple[int, str, bytes]:
        """Send bytes as they are, and return the status, the content type and the body of what comes back."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request)
            if finish:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(status.split()[1]), headers.get("Content-Type", ""), body

    def ask(
        self, path: str, headers: str = "", body: bytes = b"", method: str = "POST", *, finish: bool = False
    ) -> tuple[int, str, bytes]:
        head = f"{method} {path} HTTP/1.1\r\nHost: auth.hospital.example\r\nConnection: close\r\n{headers}\r\n"
        return self.send(head.encode("latin-1") + body, finish=finish)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn as README.md starts it, with one process, over a database of its own."""
    folder: Path = tmp_path_factory.mktemp("server")
    variables = {
        "PATH": os.environ["PATH"],
        **PRODUCTION,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "REQUIRE_HTTPS": "false",
    }
    subprocess.run([sys.executable, "-c", RUN, "migrate"], cwd=settings.BASE_DIR, env=variables, check=True)
    server = Server(free_port())
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, f"127.0.0.1:{server.port}"],
            cwd=settings.BASE_DIR,
            env=variables,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                assert server.ask("/healthz", method="GET")[0] == 200
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, (folder / "log").read_text(encoding="utf-8")
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def chunks(body: bytes, size: int = 8000) -> bytes:
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def length(number: int) -> str:
    return f"{JSON}Content-Length: {number}\r\n"


@pytest.fixture(params=DOORS, ids=lambda door: door.name)
def door(request: pytest.FixtureRequest) -> Door:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("verb", ["login", "register"])
@pytest.mark.parametrize(
    ("headers", "body", "finish", "status"),
    [
        pytest.param(CHUNKED, chunks(b'{"a": "' + b"x" * 200_000 + b'"}'), False, 413, id="large, in chunks"),
        pytest.param(CHUNKED, chunks(b" " * 3_000_000), False, 413, id="very large, in chunks"),
        pytest.param(CHUNKED, chunks(b"x" * 200_000, 1), False, 413, id="large, in chunks of a byte"),
        pytest.param(length(101_000), b" " * 101_000, False, 413, id="large"),
        # More than the longest body is not waited for.
        pytest.param(length(20_000_000), b"[" * 101_000, False, 413, id="said to be very large"),
        pytest.param(length(10), BODY, False, 400, id="longer than it says"),
        pytest.param(length(len(BODY) + 1), BODY, True, 400, id="a byte shorter than it says"),
        pytest.param(length(50_000), BODY, True, 400, id="much shorter than it says"),
        pytest.param(CHUNKED, b"zz\r\n" + BODY + b"\r\n0\r\n\r\n", False, 400, id="a chunk without a size"),
        pytest.param(CHUNKED, b"-5\r\n" + BODY + b"\r\n0\r\n\r\n", False, 400, id="a chunk of negative size"),
        pytest.param(CHUNKED, chunks(BODY).replace(b"\r\n0\r\n\r\n", b""), True, 400, id="chunks without an end"),
        pytest.param(CHUNKED, b"ffffffff\r\n" + BODY, True, 400, id="a chunk shorter than it says"),
        pytest.param(CHUNKED, chunks(b"{"), False, 400, id="chunks that are no JSON"),
        pytest.param(
            "Content-Type: application/json; charset*=utf-8''%00\r\n" + length(len(BODY)).removeprefix(JSON),
            BODY,
            False,
            415,
            id="a charset with NUL",
        ),
        pytest.param(
            "Content-Type: application/json; charset*=nonsense''x\r\n" + length(len(BODY)).removeprefix(JSON),
            BODY,
            False,
            415,
            id="a charset in a charset that is none",
        ),
    ],
)
def test_a_hostile_body_is_refused_in_the_contracts_words_and_the_worker_lives_on(
    server: Server, door: Door, verb: str, headers: str, body: bytes, finish: bool, status: int
) -> None:
    began = time.monotonic()
    told, content_type, answer = server.ask(f"/{door.mount}/{verb}", headers, body, finish=finish)
    assert (told, content_type) == (status, door.media_type)
    assert json.loads(answer)
    assert server.ask("/healthz", method="GET")[0] == 200
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("size", [1, 7, 8000])
def test_a_body_in_chunks_is_read_like_any_other(server: Server, door: Door, size: int) -> None:
    # Somebody else each time, so that nobody is locked; a body that was not read would miss its fields.
    body = BODY.replace(b"nobody", b"nobody-%d" % size)
    told, _, answer = server.ask(f"/{door.mount}/login", CHUNKED, chunks(body, size))
    assert (told, json.loads(answer)) == door.wrong


def test_an_empty_body_in_chunks_is_an_empty_body(server: Server, door: Door) -> None:
    assert server.ask(f"/{door.mount}/login", CHUNKED, chunks(b""))[0] in {400, 422}


@pytest.mark.parametrize(
    "request_line",
    [
        f"{ME}Host: evil.example\r\n",
        f"{ME}Content-Length: -1\r\n",
        f"{ME}Content-Length: 1\r\nContent-Length: 2\r\n",
        f"{ME}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        f"{ME}Authorization: Bearer \x00\r\n",
        f"{ME}Cookie: a=" + "x" * 64_000 + "\r\n",
        f"{ME}Authorization: Bearer " + "x" * 64_000 + "\r\n",
        "GET /api/auth/" + "x" * 9000 + " HTTP/1.1\r\nHost: auth.hospital.example\r\n",
        "nonsense\r\n",
    ],
    ids=["two hosts", "negative", "two lengths", "length and chunks", "NUL", "cookie", "token", "path", "nonsense"],
)
def test_what_is_no_http_never_reaches_the_service(server: Server, request_line: str) -> None:
    status, _, answer = server.send(f"{request_line}Connection: close\r\n\r\n".encode("latin-1"))
    assert status in {400, 414, 431}
    assert b"Traceback" not in answer
    assert server.ask("/healthz", method="GET")[0] == 200


def test_two_authorization_headers_are_one_bad_one(server: Server, door: Door) -> None:
    headers = "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"
    assert server.ask(f"/{door.mount}/{door.me}", headers, method="GET")[0] == 401


def test_the_server_does_not_say_which_version_it_is(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: auth.hospital.example\r\nConnection: close\r\n\r\n")
        answer = connection.recv(65536)
    assert b"\r\nServer: gunicorn\r\n" in answer
