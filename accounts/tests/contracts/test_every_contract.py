"""Facts about every contract, each in the contract's own format."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from accounts.models import Session, User
from accounts.security import tokens
from accounts.tests.contracts.clients import CLIENTS, Answer, ContractClient
from accounts.tests.tools import HERE, PASSWORD
from audit.models import LoginAttempt

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)]


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """Give alice a role that every document that asks for one has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


def test_every_contract_is_mounted(client: ContractClient) -> None:
    assert {client.name for client in CLIENTS} == set(settings.CONTRACT_MOUNTS)
    assert settings.CONTRACT_MOUNTS[client.name] == client.mount


def test_the_token_of_a_login_is_accepted(client: ContractClient) -> None:
    assert client.get_me(client.log_in()).status_code == 200


def test_a_wrong_password_and_an_unknown_user_are_answered_alike(client: ContractClient) -> None:
    answers = [client.login("wrong-password"), client.login(PASSWORD, **client.unknown_login_fields)]
    for response in answers:
        require_error(client, response, client.errors.wrong_credentials)


@pytest.mark.parametrize("state", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_an_inactive_account_is_reported_after_the_right_password_alone(
    client: ContractClient, alice: User, state: dict[str, bool]
) -> None:
    User.objects.filter(pk=alice.pk).update(**state)
    assert client.login().status_code == client.inactive_account_status
    require_error(client, client.login("wrong-password"), client.errors.wrong_credentials)


def test_an_expired_password_is_reported_where_it_is_right_alone(client: ContractClient, alice: User) -> None:
    with override_settings(PASSWORD_MAX_AGE=timedelta(days=90)):
        User.objects.filter(pk=alice.pk).update(password_changed_at=timezone.now() - timedelta(days=90))
        assert client.login().status_code == client.inactive_account_status
        require_error(client, client.login("wrong-password"), client.errors.wrong_credentials)


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
def test_a_changed_credential_revokes_the_token(client: ContractClient, alice: User, change: dict[str, str]) -> None:
    token = client.log_in()
    User.objects.filter(pk=alice.pk).update(**change)
    assert client.get_me(token).status_code == client.ended_session_status


def test_an_ended_session_revokes_the_token(client: ContractClient) -> None:
    token = client.log_in()
    Session.objects.update(ended_at=timezone.now())
    assert client.get_me(token).status_code == client.ended_session_status


def test_a_disabled_users_token_is_refused(client: ContractClient, alice: User) -> None:
    token = client.log_in()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get_me(token).status_code == client.ended_session_status


def test_a_deleted_users_token_is_refused(client: ContractClient, alice: User) -> None:
    token = client.log_in()
    alice.delete()
    assert client.get_me(token).status_code == client.deleted_user_status


def test_an_expired_token_is_refused(client: ContractClient) -> None:
    token = client.log_in()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert client.get_me(token).status_code == client.ended_session_status


def test_a_token_is_accepted_by_its_own_contract_alone(client: ContractClient) -> None:
    token = client.log_in()
    accepting = [other.name for other in CLIENTS if other.get_me(token).status_code == 200]
    assert accepting == [client.name]


@pytest.mark.parametrize("claim", [{"sid": None}, {"sid": {"a": 1}}, {"sid": "x"}], ids=str)
def test_a_token_that_names_no_session_is_invalid(client: ContractClient, claim: dict[str, Any]) -> None:
    claims = tokens.read(client.policy, client.log_in())
    response = client.get_me(tokens.sign(client.policy, {**claims, **claim}))
    require_error(client, response, client.errors.invalid_token)


def require_error(client: ContractClient, response: Any, expected: Answer) -> None:
    """Compare an error with the contract's own, headers included."""
    assert (response.status_code, response.json(), response["Content-Type"]) == (*expected, client.media_type)
    if response.status_code == 401:
        assert response["WWW-Authenticate"].partition(" ")[0] == "Bearer"


def test_a_header_of_another_scheme_is_refused(client: ContractClient) -> None:
    require_error(client, client.get_me(None, Authorization="Basic YTpi"), client.errors.not_bearer)


def test_a_token_that_is_no_jwt_is_invalid(client: ContractClient) -> None:
    require_error(client, client.get_me("a.b.c"), client.errors.invalid_token)


def test_a_malformed_body_is_refused(client: ContractClient) -> None:
    require_error(client, client.call("POST", "login", b"[]"), client.errors.malformed_body)


def test_a_body_that_is_too_large_is_refused(client: ContractClient) -> None:
    require_error(client, client.call("POST", "register", b" " * 200_000), client.errors.body_too_large)


def test_a_body_of_another_media_type_is_refused(client: ContractClient) -> None:
    require_error(client, client.send("login", b"{}", "text/plain"), client.errors.unsupported_media_type)


def test_a_compressed_body_is_refused_by_the_name_of_the_header(client: ContractClient) -> None:
    response = client.call("POST", "login", b"x", None, **{"Content-Encoding": "gzip"})
    assert (response.status_code, response["Accept-Encoding"]) == (415, "identity")
    assert "Content-Encoding" in response.content.decode()


@pytest.mark.parametrize("value", [1, "\x00"], ids=repr)
def test_a_field_with_an_invalid_value_is_a_bad_request(client: ContractClient, value: Any) -> None:
    response = client.call("POST", "login", dict.fromkeys([*client.login_fields, "password"], value))
    assert response.status_code in {400, 422}
    require_format(client, response)


def test_a_very_long_password_is_refused_and_never_hashed(
    client: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.security.hashing.verify", lambda *args: pytest.fail("hashed"))
    assert client.login("x" * 5000).status_code in {400, 401, 422}


def require_format(client: ContractClient, response: Any) -> None:
    response.json()
    assert response["Content-Type"] == client.media_type


@pytest.mark.parametrize("path", ["nothing", "login/", "login/x", ""])
def test_an_unknown_path_is_not_found_and_never_redirects(client: ContractClient, path: str) -> None:
    for method in ("GET", "POST"):
        response = client.call(method, path)
        assert response.status_code == 404
        require_format(client, response)


@pytest.mark.parametrize("method", ["GET", "TRACE", "CONNECT", "PROPFIND", "OPTIONS", "QUERY", "X" * 50])
def test_a_method_that_a_path_does_not_have_is_not_allowed(client: ContractClient, method: str) -> None:
    response = client.call(method, "login", **{"X-HTTP-Method-Override": "POST"})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    require_format(client, response)


def test_accept_is_ignored(client: ContractClient) -> None:
    response = client.get_me(client.log_in(), Accept="text/html")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_cookies_and_the_query_are_no_credentials(client: ContractClient) -> None:
    token = client.log_in()
    cookie = {"Cookie": f"sessionid={token}; token={token}"}
    assert client.call("GET", f"{client.me}?token={token}&access_token={token}", **cookie).status_code == 401


def test_answers_with_tokens_or_personal_data_are_not_stored(client: ContractClient) -> None:
    answers = [client.login(), client.get_me(client.log_in())]
    assert [answer["Cache-Control"] for answer in answers] == ["no-store", "no-store"]


def test_a_crash_reveals_nothing(client: ContractClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**kwargs: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("accounts.services.sign_in.identify", crash)
    response = client.login()
    assert response.status_code == 500
    require_format(client, response)
    assert b"secret" not in response.content


def test_plain_http_is_refused_where_https_is_required(client: ContractClient, settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    response = client.login()
    assert response.status_code == 426
    require_format(client, response)
