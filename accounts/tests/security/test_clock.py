"""A node whose clock is wrong issues no token, and refuses none of another node's for its own fault."""

from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User
from accounts.policies import CLOCK_SKEW
from accounts.security import clock, keys, tokens
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt

# Before a fixture of all tests replaces it.
MEASURE = clock.ahead


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[mock.Mock]:
    """The difference that is measured, by a watch that has measured none before."""
    watch = clock.ClockCheck()
    monkeypatch.setattr(keys, "clock_check", watch)
    monkeypatch.setattr(tokens, "clock_check", watch)
    with mock.patch.object(clock, "ahead", return_value=timedelta(0)) as measurement:
        yield measurement


@pytest.mark.django_db
def test_the_database_has_the_time_of_this_machine() -> None:
    difference = MEASURE()
    if connection.vendor == "sqlite":
        assert difference is None
        return
    assert difference is not None
    assert abs(difference) < timedelta(seconds=5)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        moved = MEASURE()
    assert moved is not None
    assert abs(moved - timedelta(minutes=5)) < timedelta(seconds=5)


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize("difference", [CLOCK_SKEW, -CLOCK_SKEW], ids=["ahead", "behind"])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_with_a_wrong_clock_nobody_is_logged_in(
    measured: mock.Mock, alice: User, client: ContractClient, difference: timedelta
) -> None:
    measured.return_value = difference
    response = Api(mount=f"/{client.mount}").post("login", {**client.login_fields, "password": PASSWORD})
    assert response.status_code == 503
    assert not Session.objects.exists()
    assert not LoginAttempt.objects.exists()


@pytest.mark.any_database
@pytest.mark.django_db
def test_a_clock_that_is_behind_does_not_call_tokens_invalid(measured: mock.Mock, api: Api, alice: User) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        pair = api.tokens()
    measured.return_value = timedelta(minutes=-5)
    assert api.get("me", pair["access_token"]).status_code == 503
    assert api.post("refresh", {"refresh_token": pair["refresh_token"]}).status_code == 503


@pytest.mark.any_database
@pytest.mark.django_db
def test_the_clock_is_measured_once_and_again_when_it_was_set(measured: mock.Mock, api: Api, alice: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as traveller, mock.patch("time.monotonic", return_value=1e6):
        for _ in range(3):
            assert api.login().status_code == 200
        assert measured.call_count == 1
        traveller.shift(timedelta(seconds=2))
        api.login()
        assert measured.call_count == 2
