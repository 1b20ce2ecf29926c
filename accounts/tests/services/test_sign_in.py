"""The stage of a sign-in that decides: by the password, then the account's state, then the contract's rule."""

from dataclasses import replace

import pytest

from accounts.errors import AccountDisabled, ApprovalPending, InvalidCredentials
from accounts.models import User
from accounts.security.budgets import Account
from accounts.security.lockout import Reservation
from accounts.services import sign_in
from accounts.services.attempts import Attempt, PasswordCheck
from accounts.services.identifiers import Identifier
from accounts.services.settlement import Refusal
from audit.events import FailureReason
from audit.origin import Origin

pytestmark = pytest.mark.any_database

ACCOUNT = Account(user_id=7)
RIGHT = PasswordCheck(Reservation(ACCOUNT, "192.0.2.1", False, ()), correct=True, outdated=False)
WRONG = replace(RIGHT, correct=False)


def attempt_of(user: User | None) -> Attempt:
    return Attempt(
        Identifier("alice", "username_key", "alice"), Origin("native"), "192.0.2.1", ACCOUNT, user, state=None
    )


def refuse_all(user: User) -> FailureReason | None:
    return FailureReason.WRONG_ROLE


def test_a_right_password_is_accepted() -> None:
    user = User(username="alice")
    assert sign_in.decide(attempt=attempt_of(user), check=RIGHT, rule=None) is user


@pytest.mark.parametrize(
    ("user", "check", "expected"),
    [
        (None, WRONG, Refusal(FailureReason.UNKNOWN_USER, InvalidCredentials, counts=True)),
        (User(is_active=False), WRONG, Refusal(FailureReason.WRONG_PASSWORD, InvalidCredentials, counts=True)),
        (User(is_active=False), RIGHT, Refusal(FailureReason.INACTIVE, AccountDisabled, counts=False)),
        (User(awaits_approval=True), RIGHT, Refusal(FailureReason.PENDING_APPROVAL, ApprovalPending, counts=False)),
        (User(), WRONG, Refusal(FailureReason.WRONG_PASSWORD, InvalidCredentials, counts=True)),
        (User(), RIGHT, Refusal(FailureReason.WRONG_ROLE, InvalidCredentials, counts=True)),
    ],
    ids=["unknown", "disabled, wrong password", "disabled", "pending", "rule, wrong password", "rule"],
)
def test_a_refusal_says_why_and_whether_it_counts(user: User | None, check: PasswordCheck, expected: Refusal) -> None:
    assert sign_in.decide(attempt=attempt_of(user), check=check, rule=refuse_all) == expected
