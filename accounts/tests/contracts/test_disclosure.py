"""Responses that say that another account has an identifier: who gets them, and how many."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, User
from accounts.services import registration_quota
from accounts.tests.contracts.clients import CLIENTS, HOSPITAL, NATIVE, ContractClient
from accounts.tests.contracts.test_profiles import PASSPHRASE
from accounts.tests.messages import queued
from accounts.tests.tools import ELSEWHERE, PASSWORD, Api, later

pytestmark = pytest.mark.django_db

# The contracts in which users change their own contacts.
CHANGES = {NATIVE.name: ("PATCH", "me"), HOSPITAL.name: ("PUT", "profile")}
PROFILES = pytest.mark.parametrize("profile", ["documented", "hardened"])
TAKEN = {"email": "head@hospital.example", "phone": "13900139000"}
FREE = {"email": "free@hospital.example", "phone": "13900139001"}


@pytest.fixture(params=[NATIVE, HOSPITAL], ids=lambda client: client.name)
def client(request: pytest.FixtureRequest) -> ContractClient:
    found: ContractClient = request.param
    return found


@pytest.fixture
def token(client: ContractClient, alice: User, head: User) -> str:
    User.objects.filter(pk=head.pk).update(phone=TAKEN["phone"])
    return client.log_in()


def change(client: ContractClient, token: str, **changes: Any) -> Any:
    method, path = CHANGES[client.name]
    return client.call(method, path, changes, token)


def limited_to(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(registration_quota, "REGISTRATIONS", limit)


@pytest.mark.parametrize("more", [{}, {"password": PASSPHRASE}], ids=["contact", "password too"])
@pytest.mark.parametrize("proof", [{}, {"old_password": "wrong"}], ids=["no password", "a wrong one"])
@pytest.mark.parametrize("field", TAKEN)
def test_without_the_current_password_taken_and_free_have_the_same_response(
    client: ContractClient,
    token: str,
    field: str,
    proof: dict[str, str],
    more: dict[str, str],
    settings: Settings,
) -> None:
    settings.PROFILE = "hardened"
    responses = [change(client, token, **{field: contacts[field]}, **proof, **more) for contacts in (FREE, TAKEN)]
    assert [response.status_code for response in responses] == [400, 400]
    assert responses[0].json() == responses[1].json()
    assert queued() == []


@pytest.mark.parametrize("field", TAKEN)
def test_with_the_current_password_a_taken_contact_is_refused(
    client: ContractClient, token: str, field: str, settings: Settings
) -> None:
    settings.PROFILE = "hardened"
    response = change(client, token, **{field: TAKEN[field], "old_password": PASSWORD})
    assert response.status_code == client.taken_status


@PROFILES
def test_a_taken_contact_in_a_profile_change_counts_as_a_registration(
    client: ContractClient, token: str, profile: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROFILE = profile
    limited_to(monkeypatch, 2)
    monkeypatch.setattr(registration_quota, "DISCLOSURES_AN_ACCOUNT", 1)
    bodies = [{"email": contacts["email"], "old_password": PASSWORD} for contacts in (TAKEN, TAKEN, TAKEN, FREE)]
    refused = client.taken_status
    # Once the limit is reached a free contact has the response of a taken one.
    assert [change(client, token, **body).status_code for body in bodies] == [refused, refused, 429, 429]
    assert change(client, token, full_name="Alice Li").status_code == 200
    with later(hours=1, seconds=1):
        token = client.log_in()
        assert change(client, token, email=FREE["email"], old_password=PASSWORD).status_code == 200


def test_others_at_the_address_do_not_keep_an_account_from_changing_its_contacts(
    client: ContractClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited_to(monkeypatch, 1)
    statuses = [NATIVE.register(PASSPHRASE, username=f"guest{number}").status_code for number in range(2)]
    assert statuses == [201, 429]
    assert change(client, token, email=TAKEN["email"], old_password=PASSWORD).status_code == client.taken_status
    assert change(client, token, email=FREE["email"], old_password=PASSWORD).status_code == 200


def test_three_disclosures_to_an_account_are_answered_beyond_the_limit_of_its_address(
    client: ContractClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited_to(monkeypatch, 0)
    answers = [change(client, token, email=TAKEN["email"], old_password=PASSWORD).status_code for _ in range(4)]
    assert answers == [client.taken_status] * 3 + [429]


@PROFILES
def test_a_free_contact_does_not_count(client: ContractClient, token: str, profile: str, settings: Settings) -> None:
    settings.PROFILE = profile
    assert change(client, token, email=FREE["email"], old_password=PASSWORD).status_code == 200
    assert not AttemptBudget.objects.filter(purpose="registration", count__gt=0).exists()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_taken_identifier_in_a_registration_counts_as_one(
    client: ContractClient, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited_to(monkeypatch, 3)
    statuses = [client.register(PASSPHRASE).status_code for _ in range(4)]
    assert statuses == [client.registered_status, client.taken_status, client.taken_status, 429]


def test_the_limit_of_one_address_is_not_that_of_another(
    alice: User, head: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited_to(monkeypatch, 1)
    monkeypatch.setattr(registration_quota, "DISCLOSURES_AN_ACCOUNT", 0)
    body = {"email": TAKEN["email"]}
    tokens = [(api, api.tokens()["access_token"]) for api in (Api(), Api(ELSEWHERE))]
    statuses = [api.call("PATCH", "/api/auth/me", body, token).status_code for api, token in [*tokens, tokens[0]]]
    assert statuses == [409, 409, 429]
