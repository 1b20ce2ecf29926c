"""What applicants learn of the decision about their registration."""

from collections.abc import Callable

import pytest

from accounts.models import User
from accounts.services import account_state
from accounts.tests.messages import queued
from audit.origin import Origin

pytestmark = pytest.mark.django_db

Decide = Callable[[User, User, Origin], bool]


def approve(user: User, actor: User, origin: Origin) -> bool:
    return account_state.approve(user=user, actor=actor, origin=origin)


def reject(user: User, actor: User, origin: Origin) -> bool:
    return account_state.reject(user=user, reason="Not of this hospital.", actor=actor, origin=origin)


DECISIONS = [(approve, "registration_approved"), (reject, "registration_rejected")]


@pytest.fixture
def applicant(db: None) -> User:
    """An account that awaits approval, whose contacts nobody has proved or vouched for."""
    contacts = {"email": "carol@hospital.example", "phone": "13900139000"}
    user: User = User.objects.create(username="carol", **contacts, role="doctor", awaits_approval=True)
    return user


@pytest.mark.parametrize(("decide", "kind"), DECISIONS)
@pytest.mark.parametrize(
    ("columns", "to"),
    [
        ({}, [("email", "carol@hospital.example")]),
        ({"email": None}, [("phone", "+8613900139000")]),
        ({"verified_phone": "+8613900139000"}, [("phone", "+8613900139000")]),
        ({"email": None, "phone": None}, []),
    ],
    ids=str,
)
def test_an_applicant_receives_one_message_about_the_decision(
    applicant: User, head: User, origin: Origin, decide: Decide, kind: str, columns: dict[str, str], to: list[str]
) -> None:
    User.objects.filter(pk=applicant.pk).update(**columns)
    assert decide(User.objects.get(pk=applicant.pk), head, origin)
    assert queued() == [(*each, kind) for each in to]


def test_a_decision_that_changes_nothing_sends_nothing(alice: User, head: User, origin: Origin) -> None:
    assert not approve(alice, head, origin)
    assert not reject(alice, head, origin)
    assert queued() == []
