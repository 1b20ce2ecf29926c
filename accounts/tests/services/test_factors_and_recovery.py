"""What a reset of the password does to second factors: nothing, but for the first proof of an unproved contact."""

from typing import Any

import pytest

from accounts.models import Channel, SecondFactor, User
from accounts.services import identifiers, recovery, second_factors
from accounts.tests.factors import ORIGIN, enrol_app
from accounts.tests.messages import queued
from accounts.tests.tools import later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"
REMOVAL = {"types": ["totp"], "cause": "first_proof"}


def reset(user: User, new: str = NEW) -> None:
    """Reset the password by a code to the e-mail address, with a minute between the messages to it."""
    contact: dict[str, Any] = {
        "identifier": identifiers.of_user(user),
        "channel": Channel.EMAIL,
        "contact": user.email,
        "origin": ORIGIN,
    }
    with later(minutes=2):
        code = recovery.request_code(**contact)
        with later(minutes=2):
            recovery.reset_password(**contact, code=code, new=new)


def removals() -> list[dict[str, Any]]:
    events = SecurityEvent.objects.filter(event="second_factor:removed")
    return list(events.values_list("detail", flat=True))


def notices() -> list[str]:
    return [kind for _channel, _address, kind in queued() if kind != "reset_code"]


@pytest.mark.parametrize("how", ["verified", "vouched"])
def test_a_reset_by_a_trusted_contact_keeps_the_factors(alice: User, how: str) -> None:
    User.objects.filter(pk=alice.pk).update(**{f"{how}_email": alice.email})
    app = enrol_app(alice)
    reset(alice)
    assert [factor.pk for factor in second_factors.in_force(alice)] == [app.factor_id]
    assert (second_factors.recovery_codes_left(alice), removals()) == (10, [])


def test_the_first_proof_of_an_unproved_contact_removes_them_with_an_event_and_a_notice(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(vouched_email="", vouched_phone="")
    enrol_app(alice)
    reset(alice)
    assert (second_factors.in_force(alice), second_factors.recovery_codes_left(alice)) == ([], 0)
    assert (removals(), notices()) == ([REMOVAL], ["second_factor_removed"])


def test_a_second_proof_keeps_what_was_enrolled_since_the_first(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(vouched_email="", vouched_phone="")
    reset(alice)
    alice.refresh_from_db()
    with later(minutes=10):
        enrol_app(alice, NEW)
        reset(alice, "Third-horse-9")
    assert (SecondFactor.objects.in_force().count(), removals()) == (1, [])


def test_a_first_proof_without_factors_has_no_event_of_them(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(vouched_email="", vouched_phone="")
    reset(alice)
    assert (removals(), notices()) == ([], ["password_reset"])
