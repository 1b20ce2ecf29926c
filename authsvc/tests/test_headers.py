"""What every answer says to a browser, from a server as an operator starts it."""

import re
from collections.abc import Callable

import pytest

from accounts.tests.contracts.clients import ContractClient
from accounts.tests.tools import PASSWORD
from authsvc.tests.server import Answer, From, Server

pytestmark = pytest.mark.any_database

# Whatever the answer is, a browser that gets it may neither guess at it, nor frame it, nor come back over plain HTTP.
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}
LOGIN = "/api/auth/login"
JSON = "Content-Type: application/json\r\n"
ANSWERS: dict[str, tuple[int, Callable[[Server], Answer]]] = {
    "a probe": (200, lambda server: server.get("/healthz")),
    "the description": (200, lambda server: server.get("/api/schema")),
    "the page that shows it": (200, lambda server: server.get("/api/docs")),
    "a file": (200, lambda server: server.get("/static/authsvc/docs.js")),
    "no file": (404, lambda server: server.get("/static/nothing.js")),
    "a malformed body": (400, lambda server: server.ask(LOGIN, f"{JSON}Content-Length: 1\r\n", b"{")),
    "no token": (401, lambda server: server.get("/api/auth/me")),
    "no such path": (404, lambda server: server.get("/api/auth/nothing")),
    "nothing at all": (404, lambda server: server.get("/nothing")),
    "a wrong method": (405, lambda server: server.get(LOGIN)),
    "a large body": (413, lambda server: server.ask(LOGIN, f"{JSON}Content-Length: 101000\r\n", b" " * 101_000)),
    "a body of another type": (415, lambda server: server.ask(LOGIN, "Content-Length: 2\r\n", b"{}")),
    "another host": (400, lambda server: server.get("/", "Host: evil.example\r\nX-Forwarded-Proto: https\r\n")),
    "the admin site": (302, lambda server: server.get("/admin/")),
    "its login": (200, lambda server: server.get("/admin/login/")),
    "its login without a token": (403, lambda server: server.ask("/admin/login/", "Content-Length: 0\r\n")),
    "no screen of it": (302, lambda server: server.get("/admin/nothing/")),
    "a form in another charset": (
        400,
        lambda server: server.ask(
            "/admin/login/", "Content-Type: application/x-www-form-urlencoded; charset=utf-7\r\nContent-Length: 0\r\n"
        ),
    ),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_response_has_the_security_headers(server: Server, kind: str) -> None:
    status, ask = ANSWERS[kind]
    answer = ask(server)
    policy = answer.headers["Content-Security-Policy"]
    assert (answer.status, {name: answer.headers.get(name) for name in EVERYWHERE}) == (status, EVERYWHERE)
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("frame-ancestors 'none'")
    assert "unsafe" not in policy


def test_the_refusal_of_plain_http_has_the_security_headers(server: Server, caller: ContractClient) -> None:
    answer = server.get(f"/{caller.mount}/{caller.me}", "Host: auth.hospital.example\r\n")
    expected = {name: value for name, value in EVERYWHERE.items() if name != "Strict-Transport-Security"}
    assert (answer.status, answer.headers["Content-Type"]) == (426, caller.media_type)
    assert {name: answer.headers.get(name) for name in expected} == expected


def access_control(answer: Answer) -> dict[str, str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_foreign_origin_cannot_read_a_response(server: Server, kind: str) -> None:
    _, ask = ANSWERS[kind]
    assert access_control(ask(From(server.port, "https://evil.example"))) == {}


@pytest.mark.parametrize("origin", ["null", "https://app.hospital.example.evil.example"])
def test_an_origin_that_resembles_an_allowed_one_is_foreign(server: Server, origin: str) -> None:
    assert access_control(From(server.port, origin).get("/api/auth/me")) == {}


@pytest.mark.parametrize(
    ("path", "credentials"),
    [
        ("/api/auth/refresh", {"access-control-allow-credentials": "true"}),
        ("/hospital/api/auth/profile", {}),
        ("/api/authentication", {}),
        ("/admin/login/", {}),
    ],
)
def test_an_allowed_origin_sends_cookies_to_the_native_contract_alone(
    server: Server, path: str, credentials: dict[str, str]
) -> None:
    answer = server.get(path, "Origin: https://app.hospital.example\r\n")
    assert access_control(answer) == {
        "access-control-allow-origin": "https://app.hospital.example",
        "access-control-expose-headers": "Authorization, WWW-Authenticate, X-Request-ID, Retry-After, ETag",
        **credentials,
    }


@pytest.mark.parametrize(
    "host", ["evil.example", "auth.hospital.example.evil.example", "auth.hospital.example@evil", "", "["]
)
def test_an_unknown_host_is_refused(server: Server, host: str) -> None:
    answer = server.get("/api/auth/me", f"Host: {host}\r\nX-Forwarded-Proto: https\r\n")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert b"evil" not in answer.body


def test_an_unknown_host_is_refused_in_the_contracts_format(server: Server, caller: ContractClient) -> None:
    answer = server.get(f"/{caller.mount}/{caller.me}", "Host: evil.example\r\nX-Forwarded-Proto: https\r\n")
    assert (answer.status, answer.headers["Content-Type"]) == (400, caller.media_type)


def test_the_cookies_of_the_admin_site_are_host_only_and_http_only(server: Server) -> None:
    page = server.get("/admin/login/")
    token = re.findall(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)[-1]
    (cookie,) = page.cookies
    form = f"csrfmiddlewaretoken={token.decode()}&username=root&password={PASSWORD}".encode()
    headers = (
        "Content-Type: application/x-www-form-urlencoded\r\nReferer: https://auth.hospital.example/admin/login/\r\n"
        f"Cookie: {cookie.partition(';')[0]}\r\nContent-Length: {len(form)}\r\n"
    )
    answer = server.ask("/admin/login/?next=/admin/", headers, form)
    assert answer.status == 302
    flags = {cookie.partition("=")[0]: set(cookie.split("; ")[1:]) for cookie in [*page.cookies, *answer.cookies]}
    assert flags.keys() == {"__Host-csrftoken", "__Host-sessionid"}
    for found in flags.values():
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= found
        assert not any(flag.startswith("Domain") for flag in found)
