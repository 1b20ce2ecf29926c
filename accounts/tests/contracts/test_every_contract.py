"""What holds through every contract, whatever words it speaks."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import HERE, PASSWORD, Api
from audit.models import LoginAttempt

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)]


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """One of the three roles that every document that asks for one has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


def test_every_contract_has_its_door(client: ContractClient) -> None:
    assert {client.name for client in CLIENTS} == set(settings.CONTRACT_MOUNTS)
    assert settings.CONTRACT_MOUNTS[client.name] == client.mount


def test_a_login_opens(client: ContractClient) -> None:
    assert client.ask(client.log_in()).status_code == 200


@pytest.mark.parametrize("spelling", ["bearer", "BEARER"])
def test_the_case_of_the_scheme_does_not_matter(client: ContractClient, spelling: str) -> None:
    token = client.log_in()
    assert client.ask(None, Authorization=f"{spelling} {token}").status_code == 200


def test_a_wrong_password_is_told_in_the_contracts_words(client: ContractClient) -> None:
    response = client.login("wrong-password")
    assert (response.status_code, response.json(), response["Content-Type"]) == (*client.wrong, client.media_type)


def test_an_unknown_user_is_told_the_same(client: ContractClient) -> None:
    response = client.login(PASSWORD, **client.unknown)
    assert (response.status_code, response.json()) == client.wrong


@pytest.mark.parametrize("state", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_a_closed_account_is_told_so_after_the_right_password(
    client: ContractClient, alice: User, state: dict[str, bool]
) -> None:
    User.objects.filter(pk=alice.pk).update(**state)
    assert client.login().status_code == client.closed


@pytest.mark.parametrize("state", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_a_closed_account_is_told_nothing_after_a_wrong_password(
    client: ContractClient, alice: User, state: dict[str, bool]
) -> None:
    User.objects.filter(pk=alice.pk).update(**state)
    response = client.login("wrong-password")
    assert (response.status_code, response.json()) == client.wrong


@pytest.mark.parametrize(
    ("password", "reason"), [(PASSWORD, ""), ("wrong-password", "wrong_password")], ids=["success", "failure"]
)
def test_an_attempt_is_in_the_trail_under_the_contracts_name(
    client: ContractClient, alice: User, password: str, reason: str
) -> None:
    client.login(password)
    attempt = LoginAttempt.objects.get()
    assert (attempt.contract, attempt.user_id, attempt.ip, attempt.failure_reason) == (
        client.name,
        alice.pk,
        HERE,
        reason,
    )


def test_five_failures_at_any_contracts_lock_every_contract(client: ContractClient) -> None:
    for number in range(5):
        CLIENTS[number % len(CLIENTS)].login("wrong-password")
    response = client.login()
    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900


@pytest.mark.parametrize("change", [{"password": "!"}, {"role": "viewer"}], ids=str)
def test_a_changed_credential_kills_the_token(client: ContractClient, alice: User, change: dict[str, str]) -> None:
    token = client.log_in()
    User.objects.filter(pk=alice.pk).update(**change)
    assert client.ask(token).status_code == client.dead


def test_an_ended_session_kills_the_token(client: ContractClient) -> None:
    token = client.log_in()
    Session.objects.update(ended_at=timezone.now())
    assert client.ask(token).status_code == client.dead


def test_a_disabled_users_token_is_dead(client: ContractClient, alice: User) -> None:
    token = client.log_in()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.ask(token).status_code == client.dead


def test_a_deleted_users_token_is_dead(client: ContractClient, alice: User) -> None:
    token = client.log_in()
    alice.delete()
    assert client.ask(token).status_code == client.gone


def test_a_token_past_its_time_is_dead(client: ContractClient) -> None:
    token = client.log_in()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert client.ask(token).status_code == client.dead


@pytest.mark.parametrize("other", CLIENTS, ids=lambda other: f"at-{other.name}")
def test_a_token_opens_its_own_contract_alone(client: ContractClient, other: ContractClient) -> None:
    assert (other.ask(client.log_in()).status_code == 200) is (client is other)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Bearer a.b.c", "Bearer \x00", "Bearer " + "x" * 9000])
def test_without_a_good_token_the_answer_is_401(client: ContractClient, header: str) -> None:
    response = client.ask(None, Authorization=header)
    assert response.status_code == 401


def refused(client: ContractClient, response: Any, status: int) -> bool:
    """Return whether the answer has this status and speaks the contract's JSON."""
    response.json()
    return bool(response.status_code == status and response["Content-Type"] == client.media_type)


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 50_000],
    ids=lambda body: repr(body[:12]),
)
def test_a_hostile_body_is_a_bad_request(client: ContractClient, body: bytes) -> None:
    response = client.call("POST", "login", body)
    assert response.status_code in {400, 422}
    assert refused(client, response, response.status_code)


@pytest.mark.parametrize("value", [None, 1, True, [], {}, "\ud800", "\x00"], ids=repr)
def test_a_hostile_field_is_a_bad_request(client: ContractClient, value: Any) -> None:
    response = client.call("POST", "login", dict.fromkeys([*client.account, "password"], value))
    assert response.status_code in {400, 422}
    assert refused(client, response, response.status_code)


def test_a_very_long_password_is_refused_and_never_hashed(
    client: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.security.hashing.verify", lambda *args: pytest.fail("hashed"))
    assert client.login("x" * 5000).status_code in {400, 401, 422}


def test_a_body_that_is_too_large_is_refused(client: ContractClient) -> None:
    assert refused(client, client.call("POST", "login", b'{"a": "' + b"x" * 200_000 + b'"}'), 413)


def test_a_body_of_another_type_is_refused(client: ContractClient) -> None:
    response = Api().client.generic("POST", f"/{client.mount}/login", b"{}", content_type="text/plain")
    assert refused(client, response, 415)


@pytest.mark.parametrize("path", ["nothing", "login/", "login/x", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_not_found_and_never_redirects(client: ContractClient, method: str, path: str) -> None:
    assert refused(client, client.call(method, path), 404)


def test_a_wrong_method_is_not_allowed(client: ContractClient) -> None:
    response = client.call("GET", "login")
    assert refused(client, response, 405)
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_accept_is_ignored(client: ContractClient, accept: str) -> None:
    response = client.ask(client.log_in(), Accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_answers_with_tokens_or_people_are_kept_by_nobody(client: ContractClient) -> None:
    answers = [client.login(), client.ask(client.log_in())]
    assert [answer["Cache-Control"] for answer in answers] == ["no-store", "no-store"]


def test_a_crash_says_nothing_of_itself(client: ContractClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**kwargs: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("accounts.services.sign_in.identify", crash)
    response = client.login()
    assert refused(client, response, 500)
    assert b"secret" not in response.content


def test_plain_http_is_refused_where_https_is_asked_for(client: ContractClient, settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    assert refused(client, client.login(), 426)
