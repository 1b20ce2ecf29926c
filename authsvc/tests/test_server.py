"""What only a real server shows: bodies without a length or with a false one, and that the worker lives on."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from accounts.tests.contracts.clients import CLIENTS, NATIVE, ContractClient
from authsvc.tests.server import HOST, Server
from authsvc.tests.test_deployment import THREADS

pytestmark = pytest.mark.any_database

BODY = (
    b'{"username": "nobody", "email": "nobody@a.example", "phone": "13900139000", "password": "x", '
    b'"userType": "DOCTOR"}'
)
ME = f"GET /api/auth/me HTTP/1.1\r\n{HOST}"
JSON = "Content-Type: application/json\r\n"
CHUNKED = JSON + "Transfer-Encoding: chunked\r\n"
WITH_CHARSET = f"Content-Type: application/json; charset*={{}}\r\nContent-Length: {len(BODY)}\r\n"


def chunks(body: bytes, size: int = 8000) -> bytes:
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def length(number: int) -> str:
    return f"{JSON}Content-Length: {number}\r\n"


REFUSED = {
    "large, in chunks": (CHUNKED, chunks(b'{"a": "' + b"x" * 200_000 + b'"}'), False, 413),
    "very large, in chunks": (CHUNKED, chunks(b" " * 3_000_000), False, 413),
    "large, in chunks of a byte": (CHUNKED, chunks(b"x" * 200_000, 1), False, 413),
    "large": (length(101_000), b" " * 101_000, False, 413),
    # More than the longest body is not waited for.
    "said to be very large": (length(20_000_000), b"[" * 101_000, False, 413),
    "longer than it says": (length(10), BODY, False, 400),
    "a byte shorter than it says": (length(len(BODY) + 1), BODY, True, 400),
    "much shorter than it says": (length(50_000), BODY, True, 400),
    "a chunk without a size": (CHUNKED, b"zz\r\n" + BODY + b"\r\n0\r\n\r\n", False, 400),
    "a chunk of negative size": (CHUNKED, b"-5\r\n" + BODY + b"\r\n0\r\n\r\n", False, 400),
    "chunks without an end": (CHUNKED, chunks(BODY).replace(b"\r\n0\r\n\r\n", b""), True, 400),
    "a chunk shorter than it says": (CHUNKED, b"ffffffff\r\n" + BODY, True, 400),
    "chunks that are no JSON": (CHUNKED, chunks(b"{"), False, 400),
    "a charset with NUL": (
        "Content-Type: application/json; charset*=utf-8''%00\r\n" + length(len(BODY)).removeprefix(JSON),
        BODY,
        False,
        415,
    ),
    "a charset in a charset that is none": (
        "Content-Type: application/json; charset*=nonsense''x\r\n" + length(len(BODY)).removeprefix(JSON),
        BODY,
        False,
        415,
    ),
}
# Every contract shares the parser, so each body is sent to one, and two of them to every contract.
CASES = [(NATIVE, kind) for kind in REFUSED]
CASES += [
    (client, kind)
    for client in CLIENTS
    if client is not NATIVE
    for kind in ("large, in chunks", "chunks that are no JSON")
]


@pytest.mark.parametrize(("client", "kind"), CASES, ids=lambda value: getattr(value, "name", value))
def test_a_malformed_body_is_refused_and_the_worker_survives(server: Server, client: ContractClient, kind: str) -> None:
    headers, body, finish, status = REFUSED[kind]
    began = time.monotonic()
    answer = server.ask(f"/{client.mount}/login", headers, body, finish=finish)
    assert (answer.status, answer.headers["Content-Type"]) == (status, client.media_type)
    assert json.loads(answer.body)
    assert server.get("/healthz").status == 200
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("size", [1, 7, 8000])
def test_a_chunked_body_is_read(server: Server, size: int) -> None:
    # Another user each time, so that none is locked; a body that was not read would miss its fields.
    body = BODY.replace(b"nobody", b"nobody-%d" % size)
    answer = server.ask(f"/{NATIVE.mount}/login", CHUNKED, chunks(body, size))
    assert (answer.status, json.loads(answer.body)) == NATIVE.errors.wrong_credentials


def test_an_empty_chunked_body_is_an_empty_body(server: Server, caller: ContractClient) -> None:
    assert server.ask(f"/{caller.mount}/login", CHUNKED, chunks(b"")).status in {400, 422}


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
def test_invalid_http_never_reaches_the_service(server: Server, request_line: str) -> None:
    answer = server.send(f"{request_line}Connection: close\r\n\r\n".encode("latin-1"))
    assert answer.status in {400, 414, 431}
    assert b"Traceback" not in answer.body
    assert server.get("/healthz").status == 200


def test_two_authorization_headers_are_an_invalid_one(server: Server, caller: ContractClient) -> None:
    headers = "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"
    assert server.get(f"/{caller.mount}/{caller.me}", headers).status == 401


@pytest.fixture
def _every_thread_waits(server: Server) -> Iterator[None]:
    """Keep all threads waiting, for the rest of a body."""
    head = f"POST /api/auth/login HTTP/1.1\r\n{HOST}{length(100)}\r\n".encode()
    with ExitStack() as connections:
        for _ in range(THREADS):
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(head)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                server.send(f"GET /readyz HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode(), timeout=0.2)
            except TimeoutError:
                break
        yield


@pytest.mark.usefixtures("_every_thread_waits")
def test_the_liveness_probe_waits_for_no_thread(server: Server) -> None:
    assert server.get("/healthz").status == 200


def test_clients_that_send_slowly_do_not_hold_up_others(server: Server) -> None:
    beginning = f"POST /api/auth/login HTTP/1.1\r\n{HOST}".encode()
    with ExitStack() as connections:
        for part in (beginning, beginning + CHUNKED.encode() + b"\r\n", beginning + length(9).encode() + b"\r\n"):
            connections.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(part)
        began = time.monotonic()
        assert [server.get("/healthz").status for _ in range(5)] == [200] * 5
        assert time.monotonic() - began < 0.5


def test_requests_that_arrive_together_are_answered_in_their_order(server: Server) -> None:
    requests = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n" + f"{ME}Connection: close\r\n\r\n"
    answer = server.send(requests.encode())
    assert (answer.status, answer.body.count(b"HTTP/1.1 401 Unauthorized")) == (200, 1)


def test_the_server_does_not_disclose_its_version(server: Server) -> None:
    assert server.get("/healthz").headers["Server"] == "gunicorn"
