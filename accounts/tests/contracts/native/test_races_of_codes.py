"""Facts about codes in requests that are served at the same time."""

from typing import Any

import pytest

from accounts.models import Code, Message
from accounts.tests.messages import last
from accounts.tests.races import Round, answered, race_rounds, statuses
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "Another-horse-8"


def contact(each: Round) -> dict[str, str]:
    return {"identifier": each.person.username, "channel": "email", "contact": str(each.person.email)}


def request(each: Round, number: int = 0) -> Any:
    return each.api(number=number).post("request-reset-code", contact(each))


def reset(each: Round, code: str, number: int = 0, new: str = NEW) -> Any:
    return each.api(number=number).post("reset-password", {**contact(each), "code": code, "new_password": new})


def codes_of(each: Round) -> int:
    return Code.objects.filter(account_id=each.person.pk).count()


@race_rounds(6)
def test_of_6_requests_for_a_code_one_is_sent(each: Round) -> None:
    results = each.at_once(lambda number: request(each, number))
    assert statuses(results) == {200: 1, 429: 5}
    assert (codes_of(each), Message.objects.filter(user=each.person).count()) == (1, 1)


@race_rounds(5)
def test_a_code_is_accepted_once(each: Round) -> None:
    request(each)
    code = last()["code"]
    results = each.at_once(lambda number: reset(each, code, number, f"{NEW}{number}"))
    assert statuses(results) == {204: 1, 400: 4}
    winner = next(number for number, result in enumerate(results) if result.status_code == 204)
    assert each.log_in(f"{NEW}{winner}").status_code == 200
    assert SecurityEvent.objects.filter(event="password:reset", user=each.person.pk).count() == 1
    assert codes_of(each) == 0


@race_rounds(8)
def test_of_8_guesses_of_a_code_5_are_evaluated(each: Round) -> None:
    request(each)
    results = each.at_once(lambda number: reset(each, "wrong", number))
    assert statuses(results) == {400: 5, 429: 3}
    assert SecurityEvent.objects.filter(event="code:refused", user=each.person.pk).count() == 5
    assert SecurityEvent.objects.filter(event="code:locked", user=each.person.pk).count() == 1


@race_rounds(2)
def test_a_reset_ends_the_session_of_a_login_at_the_same_time(each: Round) -> None:
    request(each)
    code = last()["code"]
    results = each.at_once(lambda number: reset(each, code) if number else each.log_in())
    assert results[1].status_code == 204
    for result in answered(results[:1], 200):
        assert each.api().get("me", result.json()["access_token"]).status_code == 401


@race_rounds(2)
def test_an_address_that_two_users_confirm_belongs_to_one(each: Round) -> None:
    other = Round(100 + each.number, each.person.__class__.objects.create_user(f"other{each.number}"), each.at_once)
    users = (each.person, other.person)
    tokens, sent = [], []
    for user in users:
        user.pending_email = f"new{each.number}@hospital.example"
        user.password = each.person.password
        user.save()
        tokens.append(each.api().tokens(user.username)["access_token"])
        each.api(number=user.pk).post("request-verification", {"channel": "email"}, tokens[-1])
        sent.append(last()["code"])
    results = each.at_once(
        lambda number: each.api().post("verify", {"channel": "email", "code": sent[number]}, tokens[number])
    )
    assert statuses(results) == {200: 1, 409: 1}
