"""A service that cannot serve says so with 503, and records no login that the client did not get."""

from importlib import import_module
from typing import Any

import pytest
from django.db import InternalError, OperationalError
from psycopg.errors import ReadOnlySqlTransaction
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Session, SigningKey, User
from accounts.security.keys import ring
from accounts.tests.contracts.clients import CLIENTS, NATIVE, Answer, ContractClient
from accounts.tests.databases import read_only
from audit.models import LoginAttempt

BY_CONTRACT = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """Give alice a role that every document that asks for one has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


def answer(response: Any) -> tuple[Answer, str]:
    return (response.status_code, response.json()), response["Retry-After"]


@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_is_unavailable_in_every_contract() -> None:
    for client in CLIENTS:
        client.log_in()
    with read_only():
        answers = [answer(client.login()) for client in CLIENTS]
    assert answers == [(client.errors.unavailable, "5") for client in CLIENTS]


@BY_CONTRACT
@pytest.mark.django_db
class TestUnreadableKeys:
    @pytest.fixture
    def token(self, client: ContractClient, settings: Settings) -> str:
        """A token from before SECRET_KEY was changed."""
        token = client.log_in()
        settings.SECRET_KEY = "another"
        ring.forget()
        return token

    def test_a_login_is_refused_before_it_is_hashed(
        self, client: ContractClient, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.security.hashing.verify", lambda *args: pytest.fail("hashed"))
        assert answer(client.login()) == (client.errors.unavailable, "5")
        assert LoginAttempt.objects.count() == 1

    def test_a_valid_token_is_not_called_invalid(self, client: ContractClient, token: str) -> None:
        assert answer(client.get_me(token)) == (client.errors.unavailable, "5")


@pytest.mark.django_db
def test_a_refresh_spends_no_token_while_the_access_tokens_cannot_be_signed() -> None:
    tokens = NATIVE.login().json()
    SigningKey.objects.filter(purpose="native:access").update(encrypted="rubbish")
    ring.forget()
    refused = NATIVE.call("POST", "refresh", {"refresh_token": tokens["refresh_token"]})
    assert answer(refused) == (NATIVE.errors.unavailable, "5")
    assert Session.objects.get().generation == 0


@BY_CONTRACT
@pytest.mark.django_db
def test_a_login_whose_tokens_cannot_be_signed_is_not_recorded_as_a_success(
    client: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.security.tokens.sign", crash)
    assert client.login().status_code == 500
    assert (Session.objects.count(), LoginAttempt.objects.count()) == (0, 0)
    assert not AttemptBudget.objects.filter(in_flight__gt=0).exists()


@BY_CONTRACT
def test_the_error_of_a_standby_is_none_of_the_program(client: ContractClient) -> None:
    error = InternalError("cannot execute UPDATE in a read-only transaction")
    error.__cause__ = ReadOnlySqlTransaction()
    contract = import_module(f"accounts.contracts.{client.name}.contract").CONTRACT
    assert contract.wire_error(error) == contract.errors[OperationalError]
