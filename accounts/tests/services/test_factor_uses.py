"""What serves once is spent by one statement, whose condition decides between parallel uses."""

from datetime import timedelta

import pyotp
import pytest
from django.utils import timezone

from accounts.models import RecoveryCode, SecondFactor, SpentChallenge, User
from accounts.security import totp
from accounts.services.factor_check import SignatureCounter, SingleUse, TotpStep, UsedRecoveryCode
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import enrol_app, enrol_key

pytestmark = pytest.mark.django_db


def spend_twice(use: SingleUse) -> list[bool]:
    return [use.spend(timezone.now()) for _ in range(2)]


def test_a_time_step_is_spent_once(alice: User) -> None:
    app = enrol_app(alice)
    step = SecondFactor.objects.get().last_step + 1
    assert spend_twice(TotpStep(app.factor_id, step)) == [True, False]
    assert not TotpStep(app.factor_id, step - 1).spend(timezone.now())


def test_a_signature_is_spent_once(alice: User) -> None:
    factor = enrol_key(alice, Authenticator())
    assert spend_twice(SignatureCounter(factor.pk, 0, 1)) == [True, False]


def test_a_recovery_code_is_spent_once(alice: User) -> None:
    enrol_app(alice)
    assert spend_twice(UsedRecoveryCode(RecoveryCode.objects.latest("pk").pk)) == [True, False]


def test_a_token_is_spent_once(db: None) -> None:
    assert spend_twice(SpentChallenge(id="x", expires_at=timezone.now() + timedelta(minutes=1))) == [True, False]


def test_an_expired_token_is_not_spent(db: None) -> None:
    now = timezone.now()
    assert not SpentChallenge(id="x", expires_at=now).spend(now)


def test_recovery_codes_are_stored_hashed(alice: User) -> None:
    codes = enrol_app(alice).recovery_codes
    stored = list(RecoveryCode.objects.order_by("number").values_list("encoded", flat=True))
    assert [each.startswith("argon2$argon2id$") for each in stored] == [True] * len(codes)
    # The first character is the number; each of the others has five bits.
    assert {len(code.replace("-", "")) for code in codes} == {12}


def test_a_code_is_accepted_in_the_step_before_and_after_its_own(alice: User) -> None:
    app = enrol_app(alice)
    factor = SecondFactor.objects.get()
    factor.last_step = 0
    now = timezone.now()
    accepted = [
        totp.unspent_step(factor, pyotp.TOTP(app.secret).at(now + timedelta(seconds=30 * steps)), now) is not None
        for steps in range(-2, 3)
    ]
    assert accepted == [False, True, True, True, False]
