"""Whatever people and administrators do, and whenever: each token ever issued is worth what the model says."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.security.hashers import Argon2id
from accounts.security.keys import ring
from accounts.tests.clocks import stopped_clocks
from accounts.tests.contracts.clients import CLIENTS, CLINIC, HOSPITAL, NATIVE, PORTAL, ContractClient
from accounts.tests.service_model import CLIENT, SUFFERED, WAYS, WRONG, Dealings, ask, refused_status, spend, status_of
from accounts.tests.token_model import Spent, Token
from audit.models import LoginAttempt

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS: Final = range(3)
A_DOOR: Final = st.sampled_from(CLIENTS)
# Around every end and every grace that there is; mostly no time passes, or nothing would ever live.
WAITS: Final = st.sampled_from(
    [timedelta()] * 30
    + [timedelta(seconds=seconds) for seconds in (1, 9, 10, 11, 11)]
    + [timedelta(minutes=minutes) for minutes in (5, 15, 60, 120, 180, 720)]
    + [timedelta(hours=hours) for hours in (23, 24, 6 * 24, 7 * 24, 13 * 24, 16 * 24)]
)
OFTEN: Final = ("log_in", "refresh", "refresh_again")
Deeds = dict[str, list[st.SearchStrategy[Any]]]
# The same in every run, and with nothing of an earlier one.
PROFILE: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    stateful_step_count=20,
    suppress_health_check=list(HealthCheck),
)


class TokenLives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = ExitStack()
        self.world.enter_context(transaction.atomic())
        self.move = self.world.enter_context(stopped_clocks(START))
        # What a hash costs is no matter here, and there are many.
        self.world.enter_context(mock.patch.multiple(Argon2id, time_cost=1, memory_cost=8))
        ring.forget()
        self.day = Dealings()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.world.close()

    def deeds(self) -> Deeds:
        """Return what can be done now, and with what."""
        day = self.day
        present = [person for person in day.people.values() if not person.gone]
        deeds: Deeds = {
            "log_in": [
                st.sampled_from(list(day.people.values())),
                st.lists(A_DOOR, min_size=1, max_size=3),
                st.sampled_from([None, None, None, WRONG]),
            ],
            "go_astray": [st.sampled_from(day.tokens), A_DOOR],
        }
        if len(present) < len(NUMBERS):
            deeds["register"] = [st.sampled_from(NUMBERS), A_DOOR]
        if present:
            deeds["suffer"] = [st.sampled_from(present), st.sampled_from(SUFFERED), st.sampled_from(WAYS)]
        if tokens := day.opening(NATIVE, HOSPITAL, PORTAL, CLINIC):
            deeds["log_out"] = [st.sampled_from(tokens)]
        if tokens := day.opening(NATIVE, HOSPITAL):
            deeds["change_password"] = [st.sampled_from(tokens)]
        if tokens := day.opening(NATIVE):
            deeds["log_out_everywhere"] = [st.sampled_from(tokens)]
            deeds["end_one"] = [st.sampled_from(tokens), st.sampled_from(day.tokens)]
        if tokens := day.unspent():
            deeds["refresh"] = [st.sampled_from(tokens)]
        if tokens := day.spent():
            deeds["refresh_again"] = [st.sampled_from(tokens)]
        return deeds

    @initialize(registered=st.lists(A_DOOR, min_size=2, max_size=2), clients=st.lists(A_DOOR, min_size=2, max_size=3))
    def two_register_and_log_in(self, registered: list[ContractClient], clients: list[ContractClient]) -> None:
        for number, client in enumerate(registered):
            self.day.register(number, client)
            self.day.log_in(self.day.people[number], [client, *clients])

    # Hypothesis leaves rules out at random, but nothing comes of a day without most deeds: they are one rule.
    @rule(deed=st.runner().flatmap(lambda self: one_of(self.deeds())), wait=WAITS)
    def something_happens(self, deed: tuple[Any, ...], wait: timedelta) -> None:
        name, *details = deed
        getattr(self.day, name)(*details)
        self.move(wait)

    @invariant()
    def every_token_is_worth_what_the_model_says(self) -> None:
        now = timezone.now()
        for token in [token for token in self.day.tokens if token.opens]:
            client, until = CLIENT[token.login.contract], token.renewed_until(now)
            response = ask(token, client)
            assert response.status_code == status_of(client, token.worth(now)), (token, response.content)
            if client is HOSPITAL and response.status_code != 200:
                assert response.json()["message"] == hospital_says(token, now), token
            assert response.has_header("Authorization") is (until is not None), token
            if until:
                self.day.keep([Token(response["Authorization"].removeprefix("Bearer "), token.login, until)])

    @invariant()
    def every_refresh_would_come_to_what_the_model_says(self) -> None:
        """Of each login's newest token; the spent ones are refreshed in earnest, now and then."""
        now = timezone.now()
        for token in [token for token in self.day.tokens if token.is_newest()]:
            client, good = CLIENT[token.login.contract], token.spent(now) in {Spent.NEXT, Spent.AGAIN}
            with transaction.atomic():
                response = spend(token, client)
                transaction.set_rollback(True)
            assert response.status_code == (200 if good else refused_status(client)), token

    @invariant()
    def every_attempt_is_in_the_trail(self) -> None:
        rows = LoginAttempt.objects.order_by("id").values_list("contract", "user_id", "failure_reason")
        assert list(rows) == self.day.attempts


def hospital_says(token: Token, now: datetime) -> str:
    """Return why a token is dead, which this contract alone tells."""
    if token.expires <= now:
        return "Token has expired"
    person = token.login.person
    return "User not found or inactive" if person.gone or not person.active else "Invalid token"


def one_of(deeds: Deeds) -> st.SearchStrategy[tuple[Any, ...]]:
    names = [*sorted(deeds), *(name for name in OFTEN if name in deeds)]
    return st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), *deeds[name]))


@pytest.mark.django_db
def test_every_token_is_worth_what_the_model_says(caplog: pytest.LogCaptureFixture) -> None:
    # Thousands of refusals are no news.
    caplog.set_level("ERROR", "django.request")
    run_state_machine_as_test(TokenLives, settings=PROFILE)
