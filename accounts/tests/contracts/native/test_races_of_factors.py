"""Facts about second factors in requests that are served at the same time, on every database."""

from typing import Any

import pyotp
import pytest
from django.utils import timezone

from accounts.models import RecoveryCode, SecondFactor, Session, User
from accounts.security import mfa_tokens
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import TotpApp, enrol_app, enrol_key
from accounts.tests.races import Round, race_rounds, statuses
from accounts.tests.tools import PASSWORD
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)


def login(each: Round, number: int = 0, **fields: object) -> Any:
    return each.api(number=number).post("login", {"username": each.person.username, "password": PASSWORD, **fields})


def second_step(each: Round, number: int, token: str, **fields: object) -> Any:
    return each.api(number=number).post("login/second-factor", {"mfa_token": token, **fields})


def sessions(each: Round) -> int:
    return Session.objects.filter(user=each.person).count()


def challenge(each: Round) -> str:
    return str(login(each).json()["mfa_token"])


def session_and_app(each: Round) -> tuple[str, TotpApp]:
    """Return an access token and an app in force; the login came first, so that it needed no code."""
    return each.tokens()["access_token"], enrol_app(each.person)


@race_rounds(4)
def test_a_recovery_code_serves_once(each: Round) -> None:
    code = enrol_app(each.person).recovery_codes[0]
    assert statuses(each.at_once(lambda number: login(each, number, otp=code))) == {200: 1, 401: 3}
    assert (sessions(each), RecoveryCode.objects.filter(user=each.person).count()) == (1, 9)


@race_rounds(4)
def test_a_time_step_serves_once(each: Round) -> None:
    code = enrol_app(each.person).code()
    assert statuses(each.at_once(lambda number: login(each, number, otp=code))) == {200: 1, 401: 3}
    assert sessions(each) == 1
    assert LoginAttempt.objects.filter(user=each.person, failure_reason="second_factor_wrong").count() == 3


@race_rounds(4)
def test_a_token_serves_once_with_different_codes(each: Round) -> None:
    app = enrol_app(each.person)
    token = challenge(each)
    codes = app.recovery_codes
    results = each.at_once(lambda n: second_step(each, n, token, method="recovery_code", code=codes[n]))
    assert statuses(results) == {200: 1, 401: 3}
    assert sessions(each) == 1


@race_rounds(4)
def test_an_answer_of_a_passkey_serves_once(each: Round) -> None:
    key = Authenticator(sign_count=None)
    enrol_key(each.person, key)
    answer = key.get(each.api().post("login/passkey/options").json()["publicKey"])
    results = each.at_once(lambda number: each.api(number=number).post("login/passkey", {"credential": answer}))
    assert statuses(results) == {200: 1, 401: 3}
    assert sessions(each) == 1


@race_rounds(2)
def test_of_two_copies_of_an_authenticator_one_logs_in(each: Round) -> None:
    key = Authenticator()
    enrol_key(each.person, key)
    options = [each.api().post("login/passkey/options").json()["publicKey"] for _ in range(2)]
    answers = []
    for each_options in options:
        key.sign_count = 7
        answers.append(key.get(each_options))
    results = each.at_once(lambda n: each.api(number=n).post("login/passkey", {"credential": answers[n]}))
    assert statuses(results) == {200: 1, 401: 1}


@race_rounds(6)
def test_of_6_guesses_of_a_code_5_are_evaluated(each: Round) -> None:
    enrol_app(each.person)
    token = challenge(each)
    results = each.at_once(lambda n: second_step(each, 0, token, method="totp", code=f"00000{n}"))
    assert statuses(results) == {401: 5, 429: 1}
    assert LoginAttempt.objects.filter(user=each.person, failure_reason="second_factor_wrong").count() == 5


@race_rounds(3)
def test_of_three_enrolments_by_one_token_one_is_in_force(each: Round) -> None:
    person = User.objects.get(pk=each.person.pk)
    token = mfa_tokens.issue(mfa_tokens.ENROLLMENT, person, "native")
    options = each.api().post("mfa/webauthn/options", {"password": PASSWORD}, token).json()["publicKey"]
    new = each.api().post("mfa/totp", {"password": PASSWORD}, token).json()
    code = pyotp.TOTP(new["secret"]).at(timezone.now())
    keys = [Authenticator().create(options) for _ in range(2)]

    def enrol(number: int) -> Any:
        if number == 2:
            return each.api(number=number).post(f"mfa/totp/{new['id']}/confirm", {"code": code}, token)
        return each.api(number=number).post("mfa/webauthn", {"credential": keys[number]}, token)

    results = each.at_once(enrol)
    assert len([result for result in results if result.status_code < 300]) == 1
    assert {result.status_code for result in results} <= {200, 201, 400, 401}
    assert SecondFactor.objects.in_force().filter(user=person).count() == 1
    assert SecurityEvent.objects.filter(user=person, event="second_factor:added").count() == 1
    (codes,) = [result.json()["recovery_codes"] for result in results if result.status_code < 300]
    assert login(each, otp=codes[0]).status_code == 200


@race_rounds(3)
def test_of_three_confirmations_of_an_app_one_gets_the_recovery_codes(each: Round) -> None:
    token = each.tokens()["access_token"]
    new = each.api().post("mfa/totp", {"password": PASSWORD}, token).json()
    code = pyotp.TOTP(new["secret"]).at(timezone.now())
    results = each.at_once(lambda n: each.api(number=n).post(f"mfa/totp/{new['id']}/confirm", {"code": code}, token))
    (won,) = [result for result in results if result.status_code == 200]
    assert statuses(results).keys() <= {200, 400, 404}
    assert login(each, otp=won.json()["recovery_codes"][0]).status_code == 200


@race_rounds(2)
def test_a_factor_is_removed_once(each: Round) -> None:
    token, app = session_and_app(each)

    def remove(number: int) -> Any:
        body = {"password": PASSWORD, "code": app.recovery_codes[number]}
        return each.api(number=number).call("DELETE", f"/api/auth/mfa/{app.factor_id}", body, token)

    results = each.at_once(remove)
    # Whoever comes later finds neither the factor nor a code that is asked for, or no factor to remove.
    assert statuses(results)[204] == 1
    assert statuses(results).keys() <= {204, 400, 404}
    assert SecurityEvent.objects.filter(user=each.person, event="second_factor:removed").count() == 1
    assert RecoveryCode.objects.filter(user=each.person).count() == 0


@race_rounds(2)
def test_two_removals_at_once_leave_no_recovery_codes(each: Round) -> None:
    token, app = session_and_app(each)
    key = enrol_key(each.person, Authenticator())

    def remove(number: int) -> Any:
        body = {"password": PASSWORD, "code": app.recovery_codes[number]}
        path = f"/api/auth/mfa/{[app.factor_id, key.pk][number]}"
        return each.api(number=number).call("DELETE", path, body, token)

    assert statuses(each.at_once(remove)) == {204: 2}
    assert (SecondFactor.objects.filter(user=each.person).count(), RecoveryCode.objects.count()) == (0, 0)


@race_rounds(2)
def test_an_administrators_removal_leaves_no_factor_that_is_added_at_the_same_time(each: Round) -> None:
    token, _app = session_and_app(each)
    administrator = each.administrator()
    options = each.api().post("mfa/webauthn/options", {"password": PASSWORD}, token).json()["publicKey"]
    credential = Authenticator().create(options)

    def act(number: int) -> Any:
        if number:
            return each.api(number=1).post("mfa/webauthn", {"credential": credential}, token)
        path = f"users/{each.person.pk}/remove-second-factors"
        return each.api(number=99).post(path, {"reason": "lost"}, administrator)

    results = each.at_once(act)
    assert results[0].status_code == 200
    assert results[1].status_code in {201, 401, 404}
    assert SecondFactor.objects.filter(user=each.person).count() == 0
    assert each.api().get("me", token).status_code == 401
