"""After any sequence of requests, each token that was ever issued is valid exactly when the model says so."""

from collections import Counter
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
from accounts.tests.contracts.clients import CLIENT_BY_NAME, CLIENTS, CLINIC, HOSPITAL, NATIVE, PORTAL, ContractClient
from accounts.tests.service_model import ENDS_LOGINS, WAYS, WRONG, Scenario, get_me, spend, status_of
from accounts.tests.token_model import Spent, Token
from audit.models import LoginAttempt

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS: Final = range(3)
A_CLIENT: Final = st.sampled_from(CLIENTS)
# Around every lifetime and grace period; mostly no time passes, or no token would ever be valid.
WAITS: Final = st.sampled_from(
    [timedelta()] * 30
    + [timedelta(seconds=seconds) for seconds in (1, 9, 10, 11, 11)]
    + [timedelta(minutes=minutes) for minutes in (5, 15, 60, 120, 180, 720)]
    + [timedelta(hours=hours) for hours in (23, 24, 6 * 24, 7 * 24, 13 * 24, 16 * 24)]
)
OFTEN: Final = ("log_in", "refresh", "refresh_again")
Actions = dict[str, list[st.SearchStrategy[Any]]]
# The same in every run, and with nothing of an earlier one.
PROFILE: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=6,
    stateful_step_count=20,
    suppress_health_check=list(HealthCheck),
)


class TokenMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = ExitStack()
        self.world.enter_context(transaction.atomic())
        self.move = self.world.enter_context(stopped_clocks(START))
        # Hashes are cheap here, because there are many.
        self.world.enter_context(mock.patch.multiple(Argon2id, time_cost=1, memory_cost=8))
        ring.forget()
        self.scenario = Scenario()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.world.close()

    def actions(self) -> Actions:
        """Return the actions that are possible now, each with strategies for its arguments."""
        scenario = self.scenario
        present = [person for person in scenario.people.values() if not person.deleted]
        actions: Actions = {
            "log_in": [
                st.sampled_from(list(scenario.people.values())),
                st.lists(A_CLIENT, min_size=1, max_size=3),
                st.sampled_from([None, None, None, WRONG]),
            ],
            "send_to_another_contract": [st.sampled_from(scenario.tokens), A_CLIENT],
        }
        if len(present) < len(NUMBERS):
            actions["register"] = [st.sampled_from(NUMBERS), A_CLIENT]
        if present:
            actions["end_by"] = [st.sampled_from(present), st.sampled_from(ENDS_LOGINS), st.sampled_from(WAYS)]
        if tokens := scenario.access_tokens(NATIVE, HOSPITAL, PORTAL, CLINIC):
            actions["log_out"] = [st.sampled_from(tokens)]
        if tokens := scenario.access_tokens(NATIVE, HOSPITAL):
            actions["change_password"] = [st.sampled_from(tokens)]
        if tokens := scenario.access_tokens(NATIVE):
            actions["log_out_everywhere"] = [st.sampled_from(tokens)]
            actions["end_one"] = [st.sampled_from(tokens), st.sampled_from(scenario.tokens)]
        if tokens := scenario.unspent():
            actions["refresh"] = [st.sampled_from(tokens)]
        if tokens := scenario.spent():
            actions["refresh_again"] = [st.sampled_from(tokens)]
        return actions

    @initialize(
        registered=st.lists(A_CLIENT, min_size=2, max_size=2), clients=st.lists(A_CLIENT, min_size=2, max_size=3)
    )
    def two_register_and_log_in(self, registered: list[ContractClient], clients: list[ContractClient]) -> None:
        for number, client in enumerate(registered):
            self.scenario.register(number, client)
            self.scenario.log_in(self.scenario.people[number], [client, *clients])

    # Hypothesis leaves rules out at random, and a run without most actions finds nothing: they are one rule.
    @rule(action=st.runner().flatmap(lambda self: one_of(self.actions())), wait=WAITS)
    def something_happens(self, action: tuple[Any, ...], wait: timedelta) -> None:
        name, *details = action
        getattr(self.scenario, name)(*details)
        self.move(wait)

    @invariant()
    def every_token_is_valid_when_the_model_says_so(self) -> None:
        now = timezone.now()
        for token in [token for token in self.scenario.tokens if token.is_access_token]:
            client, until = CLIENT_BY_NAME[token.login.contract], token.renewed_until(now)
            response = get_me(token, client)
            assert response.status_code == status_of(client, token.worth(now)), (token, response.content)
            if client is HOSPITAL and response.status_code != 200:
                assert response.json()["message"] == hospital_says(token, now), token
            assert response.has_header("Authorization") is (until is not None), token
            if until:
                self.scenario.keep([Token(response["Authorization"].removeprefix("Bearer "), token.login, until)])

    @invariant()
    def every_refresh_has_the_outcome_of_the_model(self) -> None:
        """Of each login's newest token, and undone; spent ones are refreshed as one of the actions."""
        now = timezone.now()
        for token in [token for token in self.scenario.tokens if token.is_newest()]:
            client, good = CLIENT_BY_NAME[token.login.contract], token.spent(now) in {Spent.NEXT, Spent.AGAIN}
            with transaction.atomic():
                response = spend(token, client)
                transaction.set_rollback(True)
            assert response.status_code == (200 if good else client.refused_refresh_status), token

    @invariant()
    def every_attempt_is_in_the_trail(self) -> None:
        # Rows of one moment are in no order, because their ids are of different lanes.
        rows = LoginAttempt.objects.values_list("contract", "user_id", "failure_reason")
        assert Counter(rows) == Counter(self.scenario.attempts)


def hospital_says(token: Token, now: datetime) -> str:
    """Return why a token is refused, which this contract alone says."""
    if token.expires <= now:
        return "Token has expired"
    person = token.login.person
    return "User not found or inactive" if person.deleted or not person.active else "Invalid token"


def one_of(actions: Actions) -> st.SearchStrategy[tuple[Any, ...]]:
    names = [*sorted(actions), *(name for name in OFTEN if name in actions)]
    return st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), *actions[name]))


@pytest.mark.django_db
def test_every_token_is_valid_when_the_model_says_so(caplog: pytest.LogCaptureFixture) -> None:
    # Thousands of refusals are expected.
    caplog.set_level("ERROR", "django.request")
    run_state_machine_as_test(TokenMachine, settings=PROFILE)
