"""What is nobody's contract: probes, keys, HTTPS, and the names of requests."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.tests.tools import Api

pytestmark = pytest.mark.any_database


@pytest.mark.django_db
def test_the_published_keys_are_the_public_access_keys(client: Client) -> None:
    response = client.get("/.well-known/jwks.json")
    (key,) = response.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/jwk-set+json", "public, max-age=30")


def test_the_metadata_name_the_issuer_and_its_keys(client: Client, settings: Settings) -> None:
    settings.ISSUER = "https://auth.hospital.example"
    assert client.get("/.well-known/oauth-authorization-server").json() == {
        "issuer": "https://auth.hospital.example",
        "jwks_uri": "https://auth.hospital.example/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": [],
        "ui_locales_supported": ["zh-hans", "en"],
    }


class TestHTTPS:
    @pytest.fixture(autouse=True)
    def _insist(self, settings: Settings) -> None:
        settings.REQUIRE_HTTPS = True

    def test_plain_http_is_refused_in_the_contracts_format(self, api: Api) -> None:
        response = api.login()
        assert (response.status_code, response["Content-Type"], response.json()) == (
            426,
            "application/problem+json",
            {
                "type": "about:blank",
                "title": "Upgrade Required",
                "status": 426,
                "detail": "This service requires HTTPS.",
                "code": "https_required",
            },
        )

    def test_https_is_served(self, client: Client) -> None:
        assert client.get("/api/auth/me", secure=True).status_code == 401

    def test_a_forwarded_scheme_without_a_trusted_proxy_is_ignored(self, api: Api) -> None:
        assert api.get("me", **{"X-Forwarded-Proto": "https"}).status_code == 426

    @pytest.mark.django_db
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_probes_are_served_over_plain_http(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/auth/me", "/nothing", "/admin/login/", "/healthz"])
@pytest.mark.django_db
def test_every_response_has_a_request_id_and_forbids_sniffing_and_framing(client: Client, path: str) -> None:
    response = client.get(path)
    assert len(response["X-Request-ID"]) == 32
    assert (response["X-Content-Type-Options"], response["X-Frame-Options"]) == ("nosniff", "DENY")


@pytest.mark.parametrize("path", ["/api/auth/me", "/auth/profile", "/healthz"])
def test_a_crash_returns_the_contracts_format_with_the_same_headers(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def crash(*args: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("authsvc.middleware.form_charset.FormCharsetMiddleware.__call__", crash)
    response = Client(raise_request_exception=False).get(path, headers={"Origin": "https://evil.example"})
    assert (response.status_code, response.json()["message" if path.startswith("/auth") else "code"]) == (
        500,
        "服务器内部错误" if path.startswith("/auth") else "internal_error",
    )
    assert b"secret" not in response.content
    assert {name: response.get(name) for name in ON_A_CRASH} == ON_A_CRASH


ON_A_CRASH = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Access-Control-Allow-Origin": None,
}
FOR_ANSWERS = "default-src 'none'; frame-ancestors 'none'"
FOR_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize(
    ("path", "status", "policy"),
    [
        ("/healthz", 200, FOR_ANSWERS),
        ("/api/schema", 200, FOR_ANSWERS),
        ("/api/auth/me", 401, FOR_ANSWERS),
        ("/nothing", 404, FOR_ANSWERS),
        ("/static/authsvc/docs.js", 200, FOR_ANSWERS),
        ("/api/docs", 200, FOR_PAGES),
        ("/admin/login/", 200, FOR_PAGES),
        ("/admin/", 302, FOR_PAGES),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.django_db
def test_every_response_has_a_content_security_policy(
    client: Client, settings: Settings, path: str, status: int, policy: str, debug: bool
) -> None:
    settings.DEBUG = debug
    response = client.get(path)
    response.close()
    assert (response.status_code, response["Content-Security-Policy"]) == (status, policy)


def test_the_refusal_of_plain_http_has_the_content_security_policy(client: Client, settings: Settings) -> None:
    settings.REQUIRE_HTTPS = True
    assert client.get("/api/auth/me")["Content-Security-Policy"] == FOR_ANSWERS


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/.well-known/jwks.json", "/api/schema", "/api/docs"])
def test_read_only_endpoints_refuse_other_methods(path: str) -> None:
    response = Client(enforce_csrf_checks=True).post(path)
    assert (response.status_code, response["Content-Type"], response["Allow"], response.json()["code"]) == (
        405,
        "application/problem+json",
        "GET, HEAD",
        "method_not_allowed",
    )


def test_an_unknown_host_is_refused_in_the_mounted_contracts_format(client: Client) -> None:
    response = client.get("/api/auth/me", headers={"Host": "evil.example"})
    assert (response.status_code, response["Content-Type"], response.json()["code"]) == (
        400,
        "application/problem+json",
        "bad_request",
    )


@pytest.mark.parametrize(("origin", "allowed"), [("http://localhost:5173", True), ("https://evil.example", False)])
def test_in_development_local_origins_are_allowed_and_no_others(client: Client, origin: str, allowed: bool) -> None:
    response = client.get("/api/auth/nothing", headers={"Origin": origin})
    assert (response.get("Access-Control-Allow-Origin") == origin) is allowed


@pytest.mark.parametrize("name", settings.PAGE_MIDDLEWARE)
@pytest.mark.django_db
def test_pages_pass_through_a_middleware_that_no_request_of_an_api_passes(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def crash(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"{name}.__call__", crash, raising=False)
    client = Client(raise_request_exception=False)
    assert [client.get(path).status_code for path in ("/api/auth/me", "/auth/profile", "/admin/login/")] == [
        401,
        401,
        500,
    ]
