"""The Host header: probes answer whatever it is, every other request needs an allowed one."""

import io

import pytest
from django.test import Client

from authsvc.tests.test_logs import log

__all__ = ["log"]

pytestmark = pytest.mark.any_database

# As a kubelet sends it to the address of a pod.
POD = "10.244.0.17:8000"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", [POD, "evil.example", "", "["])
def test_a_probe_answers_whatever_the_host(path: str, host: str, log: io.StringIO) -> None:
    response = Client().get(path, headers={"Host": host})
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert " WARNING " not in log.getvalue()


def test_a_refused_host_is_a_page_at_the_admin_site() -> None:
    response = Client().get("/admin/", headers={"Host": POD})
    assert (response.status_code, response["Content-Type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/nothing", "/healthz/", "/api/auth/me", "/.well-known/jwks.json"])
def test_a_refused_host_is_one_line_of_the_log(path: str, log: io.StringIO) -> None:
    response = Client().get(path, headers={"Host": POD})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    line, _access = log.getvalue().splitlines()
    assert " WARNING authsvc.middleware.host [" in line
    assert f"Invalid HTTP_HOST header: '{POD}'." in line


def test_a_refused_host_cannot_forge_a_line(log: io.StringIO) -> None:
    Client().get("/nothing", headers={"Host": "a\nb\u202ec"})
    line, _access = log.getvalue().splitlines()
    assert " WARNING authsvc.middleware.host [" in line
