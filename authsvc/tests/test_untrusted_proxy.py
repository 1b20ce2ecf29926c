"""A proxy that TRUSTED_PROXIES does not count makes all clients one address; the log says so once."""

import logging

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from audit.origin import request_origin
from authsvc.middleware.origin import RequestOriginMiddleware

pytestmark = pytest.mark.any_database


def respond(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request_origin(request).ip)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("peer", ["10.0.0.7", "127.0.0.1", "192.168.1.1", "172.16.0.1", "fd00::1", "::1"])
def test_a_private_peer_with_a_forwarded_address_is_one_warning(caplog: pytest.LogCaptureFixture, peer: str) -> None:
    process = RequestOriginMiddleware(respond)
    for _ in range(3):
        process(RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": "203.0.113.9"}))
    (message,) = warnings(caplog)
    assert message.startswith(f"{peer} sent X-Forwarded-For, which is not read: TRUSTED_PROXIES=0.")


def test_a_unix_socket_with_a_forwarded_address_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    process = RequestOriginMiddleware(respond)
    process(RequestFactory().get("/", REMOTE_ADDR="", headers={"X-Forwarded-For": "203.0.113.9"}))
    (message,) = warnings(caplog)
    assert message.startswith("A Unix socket sent X-Forwarded-For")


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::1"])
def test_a_public_peer_may_send_what_it_likes(caplog: pytest.LogCaptureFixture, peer: str) -> None:
    process = RequestOriginMiddleware(respond)
    process(RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": "203.0.113.10"}))
    assert warnings(caplog) == []


def test_a_private_peer_without_a_forwarded_address_is_no_proxy(caplog: pytest.LogCaptureFixture) -> None:
    RequestOriginMiddleware(respond)(RequestFactory().get("/", REMOTE_ADDR="10.0.0.7"))
    assert warnings(caplog) == []


def test_a_trusted_proxy_is_no_warning(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.7", headers={"X-Forwarded-For": "203.0.113.9"})
    assert RequestOriginMiddleware(respond)(request).content == b"203.0.113.9"
    assert warnings(caplog) == []
