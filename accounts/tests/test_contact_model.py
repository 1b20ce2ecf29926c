"""After any sequence of requests, contacts are whose the model says, and messages and sessions are as it says."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.security.hashers import Argon2id
from accounts.security.keys import ring
from accounts.tests.clocks import stopped_clocks
from accounts.tests.contact_model import CHANNELS
from accounts.tests.contact_scenario import Scenario

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS: Final = range(2)
# Few, so that two accounts often have or want the same one.
CONTACTS: Final = {
    "email": tuple(f"contact{number}@hospital.example" for number in range(3)),
    "phone": tuple(f"+861380013800{number}" for number in range(3)),
}
# Mostly a minute, so that the next message may leave; at times less, more than a code's life, or an hour.
WAITS: Final = st.sampled_from([timedelta(seconds=seconds) for seconds in (61, 61, 61, 61, 61, 1, 660, 3600)])
# Few sequences would prove anything if these were as rare as the others.
OFTEN: Final = (
    *["use_good_code"] * 9,
    *["ask_for_reset"] * 5,
    *["take_contact"] * 2,
    "ask_for_verification",
)
Actions = dict[str, list[tuple[Any, ...]]]
# The same in every run, and with nothing of an earlier one.
PROFILE: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=6,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
    # A failure is reported as it was found: to look for a shorter one takes minutes.
    phases=[Phase.generate],
)
# What an account is registered with: an e-mail address, and mostly a number.
GIVEN: Final = [
    {"email": email, **rest}
    for email in CONTACTS["email"]
    for rest in ({}, *({"phone": phone} for phone in CONTACTS["phone"]))
]


class ContactMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clocks = ExitStack()
        self.clocks.enter_context(transaction.atomic())
        self.move = self.clocks.enter_context(stopped_clocks(START))
        # Hashes are cheap here, because there are many.
        self.clocks.enter_context(mock.patch.multiple(Argon2id, time_cost=1, memory_cost=8))
        ring.forget()
        self.scenario = Scenario()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.clocks.close()

    def actions(self) -> Actions:
        """Return the actions that are possible now, each with its possible arguments."""
        accounts = self.scenario.state.accounts
        present = list(accounts.values())
        absent = [(number, given) for number in NUMBERS if number not in accounts for given in GIVEN]
        contacts = [
            (each, channel, contact) for each in present for channel in CHANNELS for contact in CONTACTS[channel]
        ]
        own = [
            (each, channel, contact) for each, channel, contact in contacts if contact == each.contacts[channel].present
        ]
        codes = [(each, code) for each in present for code in each.codes]
        good = [(each, code) for each, code in codes if each.is_good(code, timezone.now())]
        actions: Actions = {
            "register": absent,
            "create": absent,
            "log_in": [(each,) for each in present],
            "change_password": [(each,) for each in present],
            "take_contact": contacts,
            "give_contact": contacts,
            "ask_for_reset": contacts + own * 8,
            "ask_for_verification": [(each, channel) for each in present for channel in CHANNELS],
            "use_code": codes,
            "use_good_code": good,
        }
        return {name: arguments for name, arguments in actions.items() if arguments}

    @initialize(given=st.sampled_from([given for given in GIVEN if "phone" in given]))
    def one_registers_and_logs_in(self, given: dict[str, str]) -> None:
        self.scenario.register(0, given)
        self.scenario.log_in(self.scenario.state.accounts[0])

    # Hypothesis leaves rules out at random, and a run without most actions finds nothing: they are one rule.
    @rule(action=st.runner().flatmap(lambda self: one_of(self.actions())), wait=WAITS)
    def something_happens(self, action: tuple[Any, ...], wait: timedelta) -> None:
        name, *details = action
        getattr(self.scenario, name)(*details)
        self.move(wait)

    @invariant()
    def contacts_messages_and_sessions_are_those_of_the_model(self) -> None:
        self.scenario.compare()


def one_of(actions: Actions) -> st.SearchStrategy[tuple[Any, ...]]:
    names = [*actions, *(name for name in OFTEN if name in actions)]
    return st.sampled_from(names).flatmap(lambda name: st.sampled_from([(name, *each) for each in actions[name]]))


@pytest.mark.django_db
def test_contacts_and_messages_are_those_of_the_model(caplog: pytest.LogCaptureFixture) -> None:
    # Refusals are expected.
    caplog.set_level("ERROR", "django.request")
    run_state_machine_as_test(ContactMachine, settings=PROFILE)
