"""What must hold when many come at once; each on every database that the run is for."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import LoginBudget, Session, User
from accounts.tests.tools import Api, race
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what is decided, however slow the machine: a long wait would end as 503."""
    monkeypatch.setattr("accounts.services.sign_in.LONGEST_WAIT", timedelta(seconds=60))


def statuses(results: list[Any]) -> Counter[Any]:
    return Counter(getattr(result, "status_code", result) for result in results)


def test_of_20_refreshes_at_once_all_get_one_successor(alice: User) -> None:
    token = Api().tokens()["refresh_token"]
    results = race(20, lambda _: Api().post("refresh", {"refresh_token": token}))
    assert statuses(results) == {200: 20}
    assert len({result.json()["refresh_token"] for result in results}) == 1
    assert Session.objects.get().generation == 1
    assert Counter(SecurityEvent.objects.values_list("event", flat=True)) == {
        "session:refreshed": 1,
        "session:refresh:repeated": 19,
    }


def test_of_60_guesses_at_once_5_are_evaluated(alice: User) -> None:
    results = race(60, lambda number: Api().login(password=f"guess-{number}"))
    assert statuses(results) == {401: 5, 429: 55}
    assert LoginAttempt.objects.filter(failure_reason="wrong_password").count() == 5


def test_of_60_guesses_from_60_addresses_20_are_evaluated(alice: User) -> None:
    results = race(60, lambda number: Api(f"203.0.113.{number}").login(password="guess"))
    assert statuses(results) == {401: 20, 429: 40}


def test_6_good_logins_at_once_all_pass(alice: User) -> None:
    results = race(6, lambda _: Api().login())
    assert statuses(results) == {200: 6}
    assert LoginBudget.objects.get().in_flight == 0


def test_of_20_registrations_of_one_name_one_wins(db: None) -> None:
    body = {"username": "carol", "password": "Secret123", "email": "carol@hospital.example"}
    results = race(20, lambda number: Api().post("register", {**body, "email": f"carol{number}@hospital.example"}))
    assert statuses(results) == {201: 1, 409: 19}
    assert User.objects.filter(username_key="carol").count() == 1
    assert SecurityEvent.objects.filter(event="user:registered").count() == 1


def test_a_logout_at_the_same_time_leaves_no_refresh_token_alive(alice: User) -> None:
    tokens = Api().tokens()
    results = race(
        10,
        lambda number: (
            Api().post("logout", token=tokens["access_token"])
            if number == 5
            else Api().post("refresh", {"refresh_token": tokens["refresh_token"]})
        ),
    )
    assert statuses(results).keys() <= {200, 204, 401}
    for result in results:
        if getattr(result, "status_code", None) == 200:
            fresh = result.json()
            assert Api().get("me", token=fresh["access_token"]).status_code == 401
            assert Api().post("refresh", {"refresh_token": fresh["refresh_token"]}).status_code == 401
