"""An address that locks many accounts known there: what it may still do, and what others there may."""

from contextlib import ExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.security import hashing, suspicion
from accounts.security.budgets import Account
from accounts.security.locked_accounts import is_locked
from accounts.services import attempts
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

every_contract = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    """Give alice a role that every document has."""
    User.objects.filter(pk=alice.pk).update(role="doctor")


@pytest.fixture
def any_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluate as many passwords from a suspicious address as there are."""
    monkeypatch.setattr(suspicion, "SUSPECTED_RATE", 10_000)
    monkeypatch.setattr(suspicion, "SUSPECTED_SHARE", 10_000)


def colleagues(count: int) -> list[User]:
    """Create users who have all logged in from HERE."""
    encoded = make_password(PASSWORD)
    users = [User.objects.create(username=f"colleague{n}", password=encoded, role="doctor") for n in range(count)]
    now = timezone.now()
    AttemptBudget.objects.bulk_create(
        AttemptBudget(purpose="login", account_id=user.pk, address=HERE, last_success_at=now, expires_at=now)
        for user in users
    )
    return users


def suspect(address: str = HERE) -> None:
    until = timezone.now() + timedelta(hours=1)
    AttemptBudget.objects.create(purpose="address:suspicion", address=address, locked_until=until, expires_at=until)


def locked(users: list[User]) -> int:
    found = User.objects.filter(is_locked(timezone.now()), pk__in=[user.pk for user in users])
    return len(found)


@pytest.mark.usefixtures("any_rate")
@pytest.mark.parametrize("one_after_the_other", [True, False])
def test_an_attacker_behind_a_shared_address_locks_few_of_30_with_150_guesses(one_after_the_other: bool) -> None:
    users = colleagues(30)
    guesses = [user for user in users for _ in range(5)] if one_after_the_other else users * 5
    for user in guesses:
        Api().login(user.username, "guess")
    assert locked(users) == 5
    assert [Api().login(user.username).status_code for user in users[5:]] == [200] * 25


@pytest.mark.usefixtures("any_rate")
def test_the_fifth_account_is_an_event() -> None:
    for user in colleagues(6):
        for _ in range(5):
            Api().login(user.username, "guess")
    event = SecurityEvent.objects.get(event="address:suspected")
    assert (event.user_id, event.ip, event.detail["address"]) == (None, HERE, HERE)


def test_accounts_that_are_not_known_there_do_not_count() -> None:
    users = colleagues(5)
    AttemptBudget.objects.all().delete()
    for user in users:
        for _ in range(5):
            Api().login(user.username, "guess")
    assert (locked(users), suspicion.suspected(timezone.now()).count()) == (5, 0)


def test_locks_more_than_15_minutes_apart_do_not_count_together() -> None:
    users = colleagues(5)
    for number, user in enumerate(users):
        with later(minutes=16 * number):
            for _ in range(5):
                Api().login(user.username, "guess")
    assert not AttemptBudget.objects.filter(purpose="address:suspicion").exclude(locked_until=None).exists()


@every_contract
@pytest.mark.usefixtures("any_rate")
def test_a_known_account_is_locked_there_after_20_failures(client: ContractClient) -> None:
    client.log_in()
    suspect()
    answers = {client.login("guess").status_code for _ in range(20)}
    assert answers == {client.errors.wrong_credentials[0]}
    assert client.login().status_code == 429


@every_contract
@pytest.mark.usefixtures("any_rate")
def test_an_account_that_does_not_know_the_address_is_locked_after_five(client: ContractClient) -> None:
    suspect()
    for _ in range(5):
        client.login("guess")
    assert client.login().status_code == 429


@every_contract
@pytest.mark.parametrize("right", [True, False])
def test_an_account_with_more_than_five_failures_is_left_one_attempt_after_the_hour(
    client: ContractClient, right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.log_in()
    AttemptBudget.objects.filter(purpose="login").update(count=12, expires_at=timezone.now() + timedelta(hours=9))
    assert client.login(PASSWORD if right else "guess").status_code == (
        200 if right else client.errors.wrong_credentials[0]
    )
    assert client.login().status_code == (200 if right else 429)


@every_contract
def test_two_passwords_a_second_are_evaluated_over_all_accounts(
    client: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.log_in()
    suspect()
    monkeypatch.setattr(attempts, "LONGEST_WAIT", timedelta(milliseconds=20))
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert [Api().login("nobody", "guess").status_code, client.login().status_code] == [401, 200]
        with monkeypatch.context() as patch:
            patch.setattr(hashing, "verify", lambda *args: pytest.fail("hashed"))
            refused = client.login()
        assert (refused.status_code, "Retry-After" in refused) == (503, True)
        assert Api(ELSEWHERE).login("somebody", "guess").status_code == 401
    with time_machine.travel(now + timedelta(seconds=1, milliseconds=1), tick=False):
        assert client.login().status_code == 200


def taken(*keys: Any, limit: int) -> ExitStack:
    """Hold places of calls that wait at an address."""
    stack = ExitStack()
    for key in keys:
        stack.enter_context(suspicion._parallel.hold(key, limit, timedelta(0)))
    return stack


def test_a_call_that_finds_the_turns_of_two_seconds_taken_is_refused_at_once() -> None:
    suspect()
    with taken(*[HERE] * 4, limit=4):
        assert Api().login().status_code == 503
    assert Api().login().status_code == 200


def test_parallel_attempts_at_one_account_wait_for_one_turn(alice: User, head: User) -> None:
    suspect()
    with taken((HERE, Account(alice.pk)), limit=1):
        assert [Api().login(name).status_code for name in ("alice", "head")] == [503, 200]


def test_one_account_has_five_of_the_turns_of_a_minute(
    alice: User, head: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspicion, "SUSPECTED_RATE", 10_000)
    suspect()
    assert [Api().login().status_code for _ in range(6)] == [200] * 5 + [503]
    assert Api().login("head").status_code == 200
    with later(minutes=1, seconds=1):
        assert Api().login().status_code == 200


def test_after_the_wait_for_a_turn_there_is_time_for_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    suspect()
    waits, now = [], [0.0]
    take = hashing.slots.take

    def recorded(wait: timedelta, account: Account) -> Any:
        waits.append(wait)
        return take(wait, account)

    monkeypatch.setattr(hashing.slots, "take", recorded)
    monkeypatch.setattr(suspicion, "wait_for_turn", lambda *args: now.append(1.5))
    monkeypatch.setattr(attempts, "time", SimpleNamespace(monotonic=lambda: now[-1]))
    assert Api().login().status_code == 200
    assert waits == [timedelta(seconds=2)]


@every_contract
def test_sessions_and_refreshes_go_on(client: ContractClient) -> None:
    token = client.log_in()
    pair: dict[str, Any] = Api().tokens()
    suspect()
    AttemptBudget.objects.create(
        purpose="address:rate", address=HERE, count=2, expires_at=timezone.now() + timedelta(hours=1)
    )
    assert client.get_me(token).status_code == 200
    assert Api().post("refresh", {"refresh_token": pair["refresh_token"]}).status_code == 200
