"""The second factors of an account: what adds one, and who may remove them."""

from typing import Any

import pytest

from accounts.errors import InvalidCode, TokenInvalid
from accounts.models import SecondFactor, Session, User
from accounts.security import mfa_tokens
from accounts.services import enrollment, second_factors
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, enrol_app
from accounts.tests.tools import PASSWORD, Api

pytestmark = pytest.mark.django_db


def options(user: User) -> dict[str, Any]:
    return second_factors.creation_options(user=user, password=PASSWORD, origin=ORIGIN)


def add(user: User, credential: dict[str, Any]) -> None:
    second_factors.add_credential(user=user, credential=credential, name="", first=False, origin=ORIGIN)


def remove_all(user: User, actor: User | None) -> bool:
    return second_factors.remove_all(user=user, reason="lost", actor=actor, origin=ORIGIN)


def test_a_challenge_adds_one_credential(alice: User) -> None:
    challenge = options(alice)
    add(alice, Authenticator().create(challenge))
    with pytest.raises(InvalidCode):
        add(alice, Authenticator().create(challenge))
    assert SecondFactor.objects.count() == 1


def test_a_removed_credential_does_not_come_back_by_a_replay(alice: User) -> None:
    answer = Authenticator().create(options(alice))
    add(alice, answer)
    second_factors.clear(user=alice)
    with pytest.raises(InvalidCode):
        add(alice, answer)


def test_a_removal_ends_sessions_and_tokens(alice: User, root: User) -> None:
    login = mfa_tokens.read(mfa_tokens.LOGIN, mfa_tokens.issue(mfa_tokens.LOGIN, alice, "native"), "native")
    Api().tokens()
    enrol_app(alice)
    assert remove_all(alice, root)
    alice.refresh_from_db()
    assert not login.is_of(alice)
    assert Session.objects.get().end_reason == "ended_by_administrator"
    assert not remove_all(alice, root)


class TestEnrolmentToken:
    def token(self, user: User, contract: str = "native") -> str:
        return mfa_tokens.issue(mfa_tokens.ENROLLMENT, user, contract)

    def test_it_is_of_its_user(self, alice: User) -> None:
        assert enrollment.authenticate(token=self.token(alice), origin=ORIGIN) == alice

    def test_it_ends_with_the_first_factor(self, alice: User) -> None:
        token = self.token(alice)
        enrol_app(alice)
        with pytest.raises(TokenInvalid):
            enrollment.authenticate(token=token, origin=ORIGIN)

    def test_an_app_without_a_first_code_does_not_end_it(self, alice: User) -> None:
        token = self.token(alice)
        second_factors.begin_app(user=alice, password=PASSWORD, origin=ORIGIN)
        assert enrollment.authenticate(token=token, origin=ORIGIN) == alice

    def test_it_ends_with_the_password(self, alice: User) -> None:
        token = self.token(alice)
        alice.set_password("Another-horse-8")
        alice.save()
        with pytest.raises(TokenInvalid):
            enrollment.authenticate(token=token, origin=ORIGIN)

    def test_it_ends_with_the_approval(self, alice: User) -> None:
        token = self.token(alice)
        User.objects.filter(pk=alice.pk).update(awaits_approval=True)
        with pytest.raises(TokenInvalid):
            enrollment.authenticate(token=token, origin=ORIGIN)

    def test_it_is_of_its_contract(self, alice: User) -> None:
        with pytest.raises(TokenInvalid):
            enrollment.authenticate(token=self.token(alice, "admin"), origin=ORIGIN)

    def test_the_token_of_a_second_step_is_none(self, alice: User) -> None:
        token = mfa_tokens.issue(mfa_tokens.LOGIN, alice, "native")
        with pytest.raises(TokenInvalid):
            enrollment.authenticate(token=token, origin=ORIGIN)
