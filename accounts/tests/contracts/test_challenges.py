"""The challenge of a response without a valid token, `WWW-Authenticate` (RFC 6750, section 3)."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.contracts.clients import CLIENTS, ContractClient

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.django_db,
    pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name),
]

INVALID = 'Bearer error="invalid_token", error_description="The token is invalid, or its session has ended"'
EXPIRED = 'Bearer error="invalid_token", error_description="The token has expired"'
# RFC 6750, section 3: neither quotes nor backslashes in a description.
GRAMMAR = re.compile(r'Bearer error="invalid_token", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]+"')


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="doctor")


def challenge(response: Any) -> tuple[int, str]:
    return response.status_code, response["WWW-Authenticate"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}], ids=str)
def test_a_request_without_a_token_gets_the_scheme_alone(client: ContractClient, headers: dict[str, str]) -> None:
    assert challenge(client.get_me(None, **headers)) == (401, "Bearer")


def test_a_malformed_token_is_invalid(client: ContractClient) -> None:
    assert challenge(client.get_me("a.b.c")) == (401, INVALID)
    assert GRAMMAR.fullmatch(INVALID)


def test_a_token_of_another_contract_is_invalid(client: ContractClient) -> None:
    other = CLIENTS[CLIENTS.index(client) - 1]
    assert challenge(client.get_me(other.log_in())) == (401, INVALID)


def test_the_token_of_an_ended_session_is_invalid(client: ContractClient) -> None:
    token = client.log_in()
    Session.objects.update(ended_at=timezone.now())
    assert challenge(client.get_me(token)) == (401, INVALID)


def test_the_token_of_a_disabled_user_is_invalid(client: ContractClient, alice: User) -> None:
    token = client.log_in()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert challenge(client.get_me(token)) == (401, INVALID)


def test_an_expired_token_is_expired(client: ContractClient) -> None:
    token = client.log_in()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert challenge(client.get_me(token)) == (401, EXPIRED)
    assert GRAMMAR.fullmatch(EXPIRED)


def test_wrong_credentials_are_not_an_invalid_token(client: ContractClient) -> None:
    response = client.login("Wrong-horse-8")
    assert response.get("WWW-Authenticate", "Bearer") == "Bearer"


def test_a_browser_may_read_the_challenge(client: ContractClient, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    response = client.get_me(None, Origin="https://app.example")
    assert response.status_code == 401
    assert "WWW-Authenticate" in response["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.parametrize("name", ["x-request-id", "traceparent", "authorization", "content-type"])
def test_a_preflight_allows_the_header(client: ContractClient, settings: Any, name: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": name,
    }
    response = Client().options(f"/{client.mount}/login", headers=headers)
    assert name in response["Access-Control-Allow-Headers"].split(", ")
