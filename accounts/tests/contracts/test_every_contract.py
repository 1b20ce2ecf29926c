"""What holds at every door, whatever words it speaks."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.models import Session, User
from accounts.tests.contracts.doors import DOORS, Door
from accounts.tests.tools import HERE, PASSWORD, Api
from audit.models import LoginAttempt

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)]


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """One of the three roles that every document that asks for one has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


def test_every_contract_has_its_door(door: Door) -> None:
    assert {door.name for door in DOORS} == set(settings.CONTRACT_MOUNTS)
    assert settings.CONTRACT_MOUNTS[door.name] == door.mount


def test_a_login_opens(door: Door) -> None:
    assert door.ask(door.log_in()).status_code == 200


@pytest.mark.parametrize("spelling", ["bearer", "BEARER"])
def test_the_case_of_the_scheme_does_not_matter(door: Door, spelling: str) -> None:
    token = door.log_in()
    assert door.ask(None, Authorization=f"{spelling} {token}").status_code == 200


def test_a_wrong_password_is_told_in_the_contracts_words(door: Door) -> None:
    response = door.login("wrong-password")
    assert (response.status_code, response.json(), response["Content-Type"]) == (*door.wrong, door.media_type)


def test_an_unknown_user_is_told_the_same(door: Door) -> None:
    response = door.login(PASSWORD, **door.unknown)
    assert (response.status_code, response.json()) == door.wrong


@pytest.mark.parametrize("state", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_a_closed_account_is_told_so_after_the_right_password(door: Door, alice: User, state: dict[str, bool]) -> None:
    User.objects.filter(pk=alice.pk).update(**state)
    assert door.login().status_code == door.closed


@pytest.mark.parametrize("state", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_a_closed_account_is_told_nothing_after_a_wrong_password(
    door: Door, alice: User, state: dict[str, bool]
) -> None:
    User.objects.filter(pk=alice.pk).update(**state)
    response = door.login("wrong-password")
    assert (response.status_code, response.json()) == door.wrong


@pytest.mark.parametrize(
    ("password", "reason"), [(PASSWORD, ""), ("wrong-password", "wrong_password")], ids=["success", "failure"]
)
def test_an_attempt_is_in_the_trail_under_the_contracts_name(
    door: Door, alice: User, password: str, reason: str
) -> None:
    door.login(password)
    attempt = LoginAttempt.objects.get()
    assert (attempt.contract, attempt.user_id, attempt.ip, attempt.failure_reason) == (
        door.name,
        alice.pk,
        HERE,
        reason,
    )


def test_five_failures_at_any_doors_lock_every_door(door: Door) -> None:
    for number in range(5):
        DOORS[number % len(DOORS)].login("wrong-password")
    response = door.login()
    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900


@pytest.mark.parametrize("change", [{"password": "!"}, {"role": "viewer"}], ids=str)
def test_a_changed_credential_kills_the_token(door: Door, alice: User, change: dict[str, str]) -> None:
    token = door.log_in()
    User.objects.filter(pk=alice.pk).update(**change)
    assert door.ask(token).status_code == door.dead


def test_an_ended_session_kills_the_token(door: Door) -> None:
    token = door.log_in()
    Session.objects.update(ended_at=timezone.now())
    assert door.ask(token).status_code == door.dead


def test_a_disabled_users_token_is_dead(door: Door, alice: User) -> None:
    token = door.log_in()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert door.ask(token).status_code == door.dead


def test_a_deleted_users_token_is_dead(door: Door, alice: User) -> None:
    token = door.log_in()
    alice.delete()
    assert door.ask(token).status_code == door.gone


def test_a_token_past_its_time_is_dead(door: Door) -> None:
    token = door.log_in()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert door.ask(token).status_code == door.dead


@pytest.mark.parametrize("other", DOORS, ids=lambda other: f"at-{other.name}")
def test_a_token_opens_its_own_contract_alone(door: Door, other: Door) -> None:
    assert (other.ask(door.log_in()).status_code == 200) is (door is other)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Bearer a.b.c", "Bearer \x00", "Bearer " + "x" * 9000])
def test_without_a_good_token_the_answer_is_401(door: Door, header: str) -> None:
    response = door.ask(None, Authorization=header)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def refused(door: Door, response: Any, status: int) -> bool:
    """Return whether the answer has this status and speaks the contract's JSON."""
    response.json()
    return bool(response.status_code == status and response["Content-Type"] == door.media_type)


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 50_000],
    ids=lambda body: repr(body[:12]),
)
def test_a_hostile_body_is_a_bad_request(door: Door, body: bytes) -> None:
    response = door.call("POST", "login", body)
    assert response.status_code in {400, 422}
    assert refused(door, response, response.status_code)


@pytest.mark.parametrize("value", [None, 1, True, [], {}, "\ud800", "\x00"], ids=repr)
def test_a_hostile_field_is_a_bad_request(door: Door, value: Any) -> None:
    response = door.call("POST", "login", dict.fromkeys([*door.account, "password"], value))
    assert response.status_code in {400, 422}
    assert refused(door, response, response.status_code)


def test_a_very_long_password_is_refused_and_never_hashed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.security.hashing.verify", lambda *args: pytest.fail("hashed"))
    assert door.login("x" * 5000).status_code in {400, 401, 422}


def test_a_body_that_is_too_large_is_refused(door: Door) -> None:
    assert refused(door, door.call("POST", "login", b'{"a": "' + b"x" * 200_000 + b'"}'), 413)


def test_a_body_of_another_type_is_refused(door: Door) -> None:
    response = Api().client.generic("POST", f"/{door.mount}/login", b"{}", content_type="text/plain")
    assert refused(door, response, 415)


@pytest.mark.parametrize("path", ["nothing", "login/", "login/x", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_not_found_and_never_redirects(door: Door, method: str, path: str) -> None:
    assert refused(door, door.call(method, path), 404)


def test_a_wrong_method_is_not_allowed(door: Door) -> None:
    response = door.call("GET", "login")
    assert refused(door, response, 405)
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_accept_is_ignored(door: Door, accept: str) -> None:
    response = door.ask(door.log_in(), Accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_answers_with_tokens_or_people_are_kept_by_nobody(door: Door) -> None:
    answers = [door.login(), door.ask(door.log_in())]
    assert [answer["Cache-Control"] for answer in answers] == ["no-store", "no-store"]


def test_a_crash_says_nothing_of_itself(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**kwargs: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("accounts.services.sign_in.prove", crash)
    response = door.login()
    assert refused(door, response, 500)
    assert b"secret" not in response.content


def test_plain_http_is_refused_where_https_is_asked_for(door: Door, settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    assert refused(door, door.login(), 426)
