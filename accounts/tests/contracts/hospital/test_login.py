from typing import Any

import pytest

from accounts.models import User
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db


def said(response: Any) -> tuple[int, str]:
    body = response.json()
    assert body == {"success": False, "message": body["message"]}
    return response.status_code, body["message"]


WRONG = (401, "Invalid username or password")


@pytest.mark.parametrize("body", [b"", {}, {"username": "alice"}, {"password": PASSWORD}], ids=str)
def test_a_login_requires_name_and_password(api: Api, alice: User, body: Any) -> None:
    assert said(api.post("login", body)) == (400, "Username and password are required")


@pytest.mark.parametrize("username", [" alice ", "\talice\n", "ALICE"])
def test_the_name_is_stripped(api: Api, alice: User, username: str) -> None:
    assert api.login(username).status_code == 200


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.lower(), "", "x" * 200])
def test_the_password_is_taken_as_typed(api: Api, alice: User, password: str) -> None:
    assert said(api.login("alice", password)) == WRONG


@pytest.mark.parametrize("username", ["nobody", "", " ", "x" * 5000, "alice@hospital.example", "13800138000"])
def test_an_unknown_user_is_answered_like_a_wrong_password(api: Api, alice: User, username: str) -> None:
    assert said(api.login(username)) == WRONG


@pytest.mark.parametrize("change", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_a_disabled_account_is_reported_after_the_right_password(api: Api, alice: User, change: dict[str, Any]) -> None:
    User.objects.filter(pk=alice.pk).update(**change)
    assert said(api.login()) == (401, "Account is disabled")


@pytest.mark.parametrize("change", [{"is_active": False}, {"awaits_approval": True}], ids=str)
def test_a_disabled_account_is_not_reported_after_a_wrong_password(
    api: Api, alice: User, change: dict[str, Any]
) -> None:
    User.objects.filter(pk=alice.pk).update(**change)
    assert said(api.login(password="wrong")) == WRONG


def test_a_sixth_guess_is_refused_for_a_while(api: Api, alice: User) -> None:
    answers = [api.login(password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert said(answers[-1]) == (429, "Too many failed attempts, try again later")
    assert 0 < int(answers[-1]["Retry-After"]) <= 900


def test_a_login_is_in_the_trail_under_the_contracts_name(api: Api, alice: User) -> None:
    api.login()
    assert LoginAttempt.objects.values_list("contract", "status", "user_id").get() == ("hospital", "success", alice.pk)


def test_an_answer_with_a_token_is_not_stored(api: Api, alice: User) -> None:
    assert api.login()["Cache-Control"] == "no-store"
