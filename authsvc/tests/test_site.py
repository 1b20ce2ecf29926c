"""What is nobody's contract: probes, keys, HTTPS, and the names of requests."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.tests.tools import Api


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_a_probe_answers_ok(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_without_its_database_the_service_is_alive_but_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("django.db.models.query.QuerySet.exists", gone)
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 503]


@pytest.mark.django_db
def test_the_published_keys_are_public_halves_of_access_keys(client: Client) -> None:
    response = client.get("/.well-known/jwks.json")
    (key,) = response.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/jwk-set+json", "public, max-age=30")


class TestHTTPS:
    @pytest.fixture(autouse=True)
    def _insist(self, settings: Settings) -> None:
        settings.REQUIRE_HTTPS = True

    def test_plain_http_is_refused_in_the_contracts_words(self, api: Api) -> None:
        response = api.login()
        assert (response.status_code, response["Content-Type"], response.json()) == (
            426,
            "application/problem+json",
            {
                "type": "about:blank",
                "title": "Upgrade Required",
                "status": 426,
                "detail": "This service answers over HTTPS only.",
                "code": "https_required",
            },
        )

    def test_https_is_served(self, client: Client) -> None:
        assert client.get("/api/auth/me", secure=True).status_code == 401

    def test_a_forwarded_scheme_that_nobody_vouches_for_does_not_count(self, api: Api) -> None:
        assert api.get("me", **{"X-Forwarded-Proto": "https"}).status_code == 426

    @pytest.mark.django_db
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_probes_may_come_over_plain_http(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/auth/me", "/nothing", "/admin/login/", "/healthz"])
@pytest.mark.django_db
def test_every_answer_has_its_request_id_and_is_not_sniffed_or_framed(client: Client, path: str) -> None:
    response = client.get(path)
    assert len(response["X-Request-ID"]) == 32
    assert (response["X-Content-Type-Options"], response["X-Frame-Options"]) == ("nosniff", "DENY")


def test_an_unknown_host_is_refused_in_the_contracts_words(client: Client) -> None:
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
