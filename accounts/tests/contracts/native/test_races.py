"""Facts about requests that are served at the same time, on every database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AttemptBudget, Session, User
from accounts.policies import (
    LOGINS_LIMIT,
    OWN_CHANGES,
    OWN_CHANGES_WINDOW,
    SESSIONS_LIMIT,
    UNKNOWN_ADDRESSES_LIMIT,
)
from accounts.security import devices, hashing
from accounts.services import attempts, sessions
from accounts.tests.races import ROUNDS, Round, race, race_rounds, statuses
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)


@race_rounds(8)
def test_of_8_refreshes_one_rotates_and_all_get_its_successor(each: Round) -> None:
    token = each.tokens()["refresh_token"]
    results = each.at_once(lambda _: each.api().post("refresh", {"refresh_token": token}))
    assert statuses(results) == {200: 8}
    assert len({result.json()["refresh_token"] for result in results}) == 1
    assert Session.objects.get(user=each.person).generation == 1
    assert not SecurityEvent.objects.filter(user=each.person).exists()


@race_rounds(8)
def test_of_8_guesses_5_are_evaluated(each: Round) -> None:
    results = each.at_once(lambda number: each.log_in(f"guess-{number}"))
    assert statuses(results) == {401: 5, 429: 3}
    assert LoginAttempt.objects.filter(user=each.person, failure_reason="wrong_password").count() == 5


@race_rounds(8)
def test_of_8_guesses_from_a_known_address_5_are_evaluated(each: Round) -> None:
    assert each.log_in().status_code == 200
    results = each.at_once(lambda number: each.log_in(f"guess-{number}"))
    assert statuses(results) == {401: 5, 429: 3}


@race_rounds(8)
def test_of_8_guesses_from_8_addresses_the_last_4_of_20_are_evaluated(each: Round) -> None:
    AttemptBudget.objects.create(
        account_id=each.person.pk,
        purpose="login:unknown_addresses",
        count=UNKNOWN_ADDRESSES_LIMIT.limit - 4,
        expires_at=timezone.now() + UNKNOWN_ADDRESSES_LIMIT.window,
    )
    results = each.at_once(lambda number: each.api(number=number).login(each.person.username, "guess"))
    assert statuses(results) == {401: 4, 429: 4}


@race_rounds(4)
def test_of_4_logins_with_4_devices_each_makes_its_device_known(each: Round) -> None:
    credentials = {"username": each.person.username, "password": PASSWORD}
    agents = [f"client {letter}" for letter in "abcd"]
    results = each.at_once(lambda number: each.api().post("login", credentials, user_agent=agents[number]))
    assert statuses(results) == {200: 4}
    known = User.objects.get(pk=each.person.pk).known_devices
    assert len(known) == len("12345678,") * 4
    assert [agent for agent in agents if devices.entry(agent) not in known] == []


def test_of_60_guesses_from_60_addresses_20_are_evaluated_and_one_a_slot_at_most(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LONGEST_WAIT", timedelta(seconds=60))
    monkeypatch.setattr(hashing.slots, "places", 60)
    results = race(60, lambda number: Api(f"203.0.113.{number}").login(password="guess"))
    evaluated = statuses(results)[401]
    assert statuses(results) == {401: evaluated, 429: 60 - evaluated}
    assert 20 <= evaluated <= 20 + hashing.slots.size


@race_rounds(6)
def test_6_good_logins_all_pass(each: Round) -> None:
    assert statuses(each.at_once(lambda _: each.log_in())) == {200: 6}
    assert AttemptBudget.objects.get(account_id=each.person.pk, purpose="login").in_flight == 0
    assert Session.objects.filter(user=each.person).count() == 6


@race_rounds(6)
def test_of_6_good_logins_the_last_3_of_the_accounts_quota_pass(each: Round) -> None:
    AttemptBudget.objects.create(
        account_id=each.person.pk,
        purpose="login:successes",
        count=LOGINS_LIMIT.limit - 3,
        expires_at=timezone.now() + LOGINS_LIMIT.window,
    )
    assert statuses(each.at_once(lambda _: each.log_in())) == {200: 3, 429: 3}
    assert Session.objects.filter(user=each.person).count() == 3


@race_rounds(6)
def test_of_6_good_logins_at_the_limit_of_sessions_each_ends_one(each: Round) -> None:
    now = timezone.now()
    times = dict.fromkeys(("created_at", "last_seen_at", "rotated_at"), now)
    ends = {name: now + timedelta(hours=1) for name in ("expires_at", "latest_end_at")}
    session = {"user": each.person, "stamp": each.person.stamp, "contract": "native", **times, **ends}
    Session.objects.bulk_create(Session(**session) for _ in range(SESSIONS_LIMIT))
    assert statuses(each.at_once(lambda _: each.log_in())) == {200: 6}
    assert sessions.active(user=each.person).count() == SESSIONS_LIMIT
    assert Session.objects.filter(user=each.person, end_reason="superseded").count() == 6


@race_rounds(6)
def test_of_6_changes_the_last_3_of_the_accounts_quota_are_made(each: Round) -> None:
    token = each.tokens()["access_token"]
    AttemptBudget.objects.create(
        account_id=each.person.pk,
        purpose="changes",
        count=OWN_CHANGES - 3,
        expires_at=timezone.now() + OWN_CHANGES_WINDOW,
    )
    results = each.at_once(lambda number: each.api().call("PATCH", "/api/auth/me", {"nickname": f"n{number}"}, token))
    assert statuses(results) == {200: 3, 429: 3}
    assert AttemptBudget.objects.get(account_id=each.person.pk, purpose="changes").count == OWN_CHANGES


SPELLINGS = {
    "username": ("carol{}", "CAROL{}", "Carol{}", "ｃａｒｏｌ{}"),
    "email": (
        "carol{}@hospital.example",
        "CAROL{}@hospital.example",
        "Carol{}@Hospital.example",
        "caroL{}@HOSPITAL.EXAMPLE",
    ),
    "phone": ("139001390{:02}", "+86139001390{:02}", "+86 139-0013-90{:02}", "139 0013 90{:02}"),
}


@pytest.mark.parametrize("field", SPELLINGS)
def test_of_registrations_of_one_thing_in_4_spellings_one_wins(field: str) -> None:
    @race_rounds(8)
    def register(each: Round) -> None:
        def one(number: int) -> object:
            body = {"username": f"r{each.number}-{number}", "email": f"r{each.number}-{number}@hospital.example"}
            spelling = SPELLINGS[field][number % 4].format(each.number)
            return each.api().post("register", {**body, "password": "Secret123", field: spelling})

        results = each.at_once(one)
        assert statuses(results) == {201: 1, 409: 7}
        refused = [result.json()["errors"] for result in results if result.status_code == 409]
        taken = {field: [{"code": "taken", "detail": "Another account already has this value."}]}
        assert refused == [taken] * 7

    register()
    assert SecurityEvent.objects.filter(event="user:registered").count() == ROUNDS
