"""Facts about codes in requests that are served at the same time."""

from typing import Any
from unittest import mock

import pytest

from accounts.errors import InvalidCode
from accounts.models import AttemptBudget, Code, Message, User
from accounts.security.codes import Target
from accounts.services import password_links, recovery
from accounts.tests.messages import last
from accounts.tests.races import Round, answered, race_rounds, statuses
from audit.models import SecurityEvent
from audit.origin import CONSOLE, Origin

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


@race_rounds(5)
def test_a_link_sets_one_password(each: Round) -> None:
    User.objects.filter(pk=each.person.pk).update(password="!", vouched_email=each.person.email)
    person = User.objects.get(pk=each.person.pk)
    recovery.send_code(user=person, actor=User(pk=10**9, is_superuser=True), origin=CONSOLE)
    token = last()["link"]

    def choose(number: int) -> User:
        origin = Origin("password", each.address(number))
        return password_links.set_password(token=token, new=f"{NEW}{number}", origin=origin)

    results = each.at_once(choose)
    winners = [number for number, result in enumerate(results) if isinstance(result, User)]
    assert ([type(result) for result in results].count(InvalidCode), len(winners)) == (4, 1)
    assert each.log_in(f"{NEW}{winners[0]}").status_code == 200
    assert SecurityEvent.objects.filter(event="password:created", user=person.pk).count() == 1


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
        # One contact receives one code a minute.
        AttemptBudget.objects.filter(purpose="contact:minute").delete()
        each.api(number=user.pk).post("request-verification", {"channel": "email"}, tokens[-1])
        sent.append(last()["code"])
    results = each.at_once(
        lambda number: each.api().post("verify", {"channel": "email", "code": sent[number]}, tokens[number])
    )
    assert statuses(results) == {200: 1, 409: 1}


@race_rounds(8)
def test_accounts_that_request_codes_for_one_contact_at_once_have_one_sent(each: Round) -> None:
    pending, tokens = f"shared{each.number}@hospital.example", []
    for number in range(8):
        name = f"user{each.number}-{number}"
        User.objects.create(username=name, password=each.person.password, pending_email=pending)
        tokens.append(each.api(number=number).tokens(name)["access_token"])
    body = {"channel": "email"}
    results = each.at_once(lambda number: each.api(number=number).post("request-verification", body, tokens[number]))
    assert statuses(results) == {200: 1, 429: 7}
    assert Message.objects.filter(address=pending).count() == 1


@race_rounds(2)
def test_of_two_first_proofs_at_once_one_takes_the_account(each: Round) -> None:
    forms = [
        {"identifier": each.person.username, "channel": channel, "contact": str(getattr(each.person, channel))}
        for channel in ("email", "phone")
    ]
    sent = []
    for form in forms:
        # A code replaces the former one of its account, so each is requested and then kept beside the other.
        AttemptBudget.objects.filter(account_id=each.person.pk).delete()
        assert each.api().post("request-reset-code", form).status_code == 200
        sent.append(last()["code"])
        stored = Code.objects.get(account_id=each.person.pk)
        Code.objects.filter(pk=stored.pk).update(account_id=-each.person.pk * 2 - len(sent))
    mail, text = Code.objects.filter(account_id__lt=0).order_by("pk")
    rows = {"email": mail, "phone": text}

    def check(target: Target, code: object, **arguments: object) -> Code:
        return rows[str(target.channel)]

    with mock.patch.object(Target, "check", check):
        results = each.at_once(
            lambda number: each.api(number=number).post(
                "reset-password", {**forms[number], "code": sent[number], "new_password": f"{NEW}{number}"}
            )
        )
    Code.objects.all().delete()
    assert statuses(results) == {204: 1, 400: 1}
    winner = next(number for number, result in enumerate(results) if result.status_code == 204)
    person = User.objects.get(pk=each.person.pk)
    kept, suspended = ("email", "phone") if winner == 0 else ("phone", "email")
    assert (person.trusted_contacts().keys(), getattr(person, suspended)) == ({kept}, None)
    assert getattr(person, f"pending_{suspended}") == forms[1 - winner]["contact"]


@race_rounds(2)
def test_of_a_reset_and_a_verification_of_the_other_contact_at_once_one_proves_its_contact(each: Round) -> None:
    token = each.tokens()["access_token"]
    each.api().post("request-verification", {"channel": "phone"}, token)
    text = {"channel": "phone", "code": last()["code"]}
    request(each)
    mailed = last()["code"]
    turned, verified = each.at_once(lambda n: each.api().post("verify", text, token) if n else reset(each, mailed, 1))
    # After the reset the session of the other has ended, perhaps before its token was read.
    assert (turned.status_code, verified.status_code) in {(204, 400), (204, 401), (400, 200)}
    person = User.objects.get(pk=each.person.pk)
    contacts = {name: (getattr(person, name), getattr(person, f"pending_{name}")) for name in ("email", "phone")}
    if turned.status_code == 204:
        assert person.trusted_contacts() == {"email": each.person.email}
        assert contacts == {"email": (each.person.email, ""), "phone": (None, each.person.phone)}
    else:
        assert person.trusted_contacts() == {"phone": each.person.phone}
        assert contacts == {"email": (each.person.email, ""), "phone": (each.person.phone, "")}
    assert each.api().get("me", token).status_code == (401 if turned.status_code == 204 else 200)
