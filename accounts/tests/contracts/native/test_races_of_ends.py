"""Whatever ends a session, and in whatever order requests are served: no token of it is valid afterwards."""

from typing import Any

import jwt
import pytest

from accounts.models import Session
from accounts.tests.races import Round, all_refused, answered, race_rounds, statuses
from accounts.tests.tools import PASSWORD
from accounts.transactions import atomically
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "Correct-horse-8"


def refresh(each: Round, tokens: dict[str, Any]) -> Any:
    return each.api().post("refresh", {"refresh_token": tokens["refresh_token"]})


def change_password(each: Round, tokens: dict[str, Any], new: str = NEW) -> Any:
    body = {"old_password": PASSWORD, "new_password": new}
    return each.api().post("change-password", body, tokens["access_token"])


def pairs(results: list[Any]) -> list[dict[str, Any]]:
    """Return the tokens of the logins and refreshes that succeeded."""
    return [result.json() for result in answered(results, 200) if b"access_token" in result.content]


@race_rounds(6)
def test_after_a_logout_no_refresh_token_is_valid(each: Round) -> None:
    tokens = each.tokens()

    def work(number: int) -> Any:
        return refresh(each, tokens) if number else each.api().post("logout", token=tokens["access_token"])

    results = each.at_once(work)
    assert results[0].status_code == 204
    assert statuses(results[1:]).keys() <= {200, 401}
    assert all_refused([tokens, *pairs(results)])


@race_rounds(6)
def test_a_session_that_another_ends_has_no_valid_successor(each: Round) -> None:
    ended, other = each.tokens(), each.tokens()
    session = jwt.decode(ended["access_token"], options={"verify_signature": False})["sid"]

    def work(number: int) -> Any:
        if number:
            return refresh(each, ended)
        return each.api().call("DELETE", f"/api/auth/sessions/{session}", token=other["access_token"])

    results = each.at_once(work)
    assert results[0].status_code == 204
    assert statuses(results[1:]).keys() <= {200, 401}
    assert all_refused([ended, *pairs(results)])
    assert each.api().get("me", other["access_token"]).status_code == 200


@race_rounds(4)
def test_of_4_changes_of_a_password_one_wins(each: Round) -> None:
    tokens = each.tokens()
    results = each.at_once(lambda number: change_password(each, tokens, f"{NEW}{number}"))
    assert len(answered(results, 204)) == 1
    assert statuses(results).keys() <= {204, 400, 401}
    logins = [each.log_in(f"{NEW}{number}").status_code for number, result in enumerate(results)]
    assert logins == [200 if result.status_code == 204 else 401 for result in results]


@race_rounds(6)
def test_a_changed_password_ends_every_session(each: Round) -> None:
    tokens = each.tokens()

    def work(number: int) -> Any:
        if number == 0:
            return change_password(each, tokens)
        return refresh(each, tokens) if number < 3 else each.log_in()

    results = each.at_once(work)
    assert results[0].status_code == 204
    assert statuses(results[1:]).keys() <= {200, 401}
    assert all_refused([tokens, *pairs(results)])
    assert each.log_in(NEW).status_code == 200


@race_rounds(6)
def test_of_a_disabled_account_no_token_is_valid(each: Round) -> None:
    tokens, head = each.tokens(), each.administrator()

    def work(number: int) -> Any:
        if number == 0:
            return each.api().post(f"users/{each.person.pk}/deactivate", token=head)
        return refresh(each, tokens) if number < 3 else each.log_in()

    results = each.at_once(work)
    assert results[0].status_code == 200
    # A login whose password was hashed meanwhile is answered only that it failed.
    assert statuses(results[1:]).keys() <= {200, 401, 403}
    assert all_refused([tokens, *pairs(results)])
    assert each.log_in().status_code == 403


@race_rounds(6)
def test_after_a_change_of_role_no_token_of_the_old_role_is_valid(each: Round) -> None:
    tokens, head = each.tokens(), each.administrator()

    def work(number: int) -> Any:
        if number == 0:
            return each.api().call("PATCH", f"/api/auth/users/{each.person.pk}", {"role": "viewer"}, head)
        return refresh(each, tokens) if number < 3 else each.log_in()

    results = each.at_once(work)
    assert results[0].status_code == 200
    assert statuses(results[1:]).keys() <= {200, 401}
    handed_out = [tokens, *pairs(results)]
    roles = [jwt.decode(pair["access_token"], options={"verify_signature": False})["role"] for pair in handed_out]
    assert all_refused([pair for pair, role in zip(handed_out, roles, strict=True) if role == "pharmacy"])
    assert set(roles) <= {"pharmacy", "viewer"}


@race_rounds(6)
def test_of_a_deleted_user_no_token_is_valid(each: Round) -> None:
    tokens = each.tokens()

    def work(number: int) -> Any:
        if number == 0:
            return atomically(each.person.delete)
        return refresh(each, tokens) if number < 3 else each.log_in()

    results = each.at_once(work)
    assert isinstance(results[0], tuple), results[0]
    assert statuses(results[1:]).keys() <= {200, 401}
    assert all_refused([tokens, *pairs(results)])
    assert not Session.objects.filter(user_id=each.person.pk).exists()


@race_rounds(4, is_active=False)
def test_of_4_activations_one_changes_the_account(each: Round) -> None:
    _once(each, "activate", "user:activated")


@race_rounds(4, awaits_approval=True)
def test_of_4_approvals_one_changes_the_account(each: Round) -> None:
    _once(each, "approve", "user:approved")


def _once(each: Round, act: str, event: str) -> None:
    head = each.administrator()
    results = each.at_once(lambda _: each.api().post(f"users/{each.person.pk}/{act}", token=head))
    assert statuses(results) == {200: 4}
    assert SecurityEvent.objects.filter(user=each.person, event=event).count() == 1
    assert each.log_in().status_code == 200
