"""Logins with a second factor: beside the password, after it, instead of it, and in the password's field."""

from typing import Any

import pytest

from accounts.errors import (
    InvalidCredentials,
    InvalidSecondFactor,
    SecondFactorEnrollmentRequired,
    TokenExpired,
    TokenInvalid,
    TooManyAttempts,
)
from accounts.models import Session, User
from accounts.security import mfa_tokens
from accounts.services import identifiers, passkeys, second_factors, second_step, sign_in
from accounts.services.factor_check import FactorStep
from accounts.services.second_step import SubmittedAssertion, SubmittedCode
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, SESSIONS, TotpApp, challenge, enrol_app, enrol_key
from accounts.tests.tools import PASSWORD, later
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db


def log_in(user: User, password: str = PASSWORD, **options: Any) -> Session:
    options.setdefault("step", FactorStep.SEPARATE)
    return sign_in.sign_in(
        identifier=identifiers.of_user(user), password=password, issuer=SESSIONS, origin=ORIGIN, **options
    )


def complete(token: str, answer: SubmittedCode | SubmittedAssertion) -> Session:
    return second_step.complete(token=token, answer=answer, issuer=SESSIONS, origin=ORIGIN)


def last_row() -> tuple[str, str, str]:
    row = LoginAttempt.objects.latest("id")
    return row.status, row.failure_reason, row.factor


@pytest.fixture
def app(alice: User) -> TotpApp:
    return enrol_app(alice)


def test_a_code_beside_the_password_logs_in(alice: User, app: TotpApp) -> None:
    assert log_in(alice, code=app.code()).methods == "pwd otp mfa"
    assert last_row() == ("success", "", "totp")


def test_a_code_right_after_the_password_logs_in_a_client_without_a_field_for_it(alice: User, app: TotpApp) -> None:
    session = log_in(alice, PASSWORD + app.code(), step=FactorStep.IN_PASSWORD)
    assert session.methods == "pwd otp mfa"


def test_the_password_alone_is_a_wrong_one_to_a_client_without_a_field(alice: User, app: TotpApp) -> None:
    with pytest.raises(InvalidCredentials) as raised:
        log_in(alice, step=FactorStep.IN_PASSWORD)
    assert type(raised.value) is InvalidCredentials
    assert last_row() == ("failed", "second_factor_missing", "")


def test_a_password_that_ends_in_digits_stays_whole_without_a_factor(bob: User) -> None:
    bob.set_password("Correct-horse-123456")
    bob.save()
    assert log_in(bob, "Correct-horse-123456", step=FactorStep.IN_PASSWORD).methods == "pwd"


def test_a_right_password_without_the_factor_is_a_challenge(alice: User, app: TotpApp) -> None:
    assert challenge(alice).methods == ("totp", "recovery_code")
    assert last_row() == ("challenged", "second_factor_missing", "")


def test_the_second_step_logs_in_once(alice: User, app: TotpApp) -> None:
    token = challenge(alice).token
    assert complete(token, SubmittedCode(app.code())).methods == "pwd otp mfa"
    with pytest.raises(InvalidSecondFactor):
        complete(token, SubmittedCode(app.recovery_codes[0]))
    assert Session.objects.count() == 1


def test_a_time_step_serves_once(alice: User, app: TotpApp) -> None:
    code = app.code()
    log_in(alice, code=code)
    with pytest.raises(InvalidSecondFactor):
        log_in(alice, code=code)
    assert last_row() == ("failed", "second_factor_wrong", "totp")


def test_the_code_of_the_enrolment_has_served(alice: User, app: TotpApp) -> None:
    with pytest.raises(InvalidSecondFactor):
        log_in(alice, code=app.used_code)


def test_a_recovery_code_serves_once_in_any_spelling(alice: User, app: TotpApp) -> None:
    code = app.recovery_codes[3]
    assert log_in(alice, code=code.upper().replace("-", " ")).methods == "pwd otp mfa"
    assert last_row() == ("success", "", "recovery_code")
    with pytest.raises(InvalidSecondFactor):
        log_in(alice, code=code)
    assert second_factors.recovery_codes_left(alice) == 9


def test_a_wrong_code_counts_like_a_wrong_password(alice: User, app: TotpApp) -> None:
    for _ in range(5):
        with pytest.raises(InvalidSecondFactor):
            log_in(alice, code="000000")
    with pytest.raises(TooManyAttempts):
        log_in(alice, code=app.code())


def test_a_challenge_settles_no_failure(alice: User, app: TotpApp) -> None:
    for _ in range(4):
        with pytest.raises(InvalidCredentials):
            log_in(alice, "wrong")
    token = challenge(alice).token
    with pytest.raises(InvalidSecondFactor):
        complete(token, SubmittedCode("000000"))
    with pytest.raises(TooManyAttempts):
        complete(token, SubmittedCode(app.code()))


def test_a_token_expires(alice: User, app: TotpApp) -> None:
    token = challenge(alice).token
    with later(minutes=5, seconds=1), pytest.raises(TokenExpired):
        complete(token, SubmittedCode(app.code()))


def test_a_token_ends_with_the_password(alice: User, app: TotpApp) -> None:
    token = challenge(alice).token
    alice.set_password("Another-horse-8")
    alice.save()
    with pytest.raises(TokenInvalid):
        complete(token, SubmittedCode(app.code()))


def test_a_token_of_another_type_is_refused(alice: User, app: TotpApp) -> None:
    token = mfa_tokens.issue(mfa_tokens.ENROLLMENT, alice, "native")
    with pytest.raises(TokenInvalid):
        complete(token, SubmittedCode(app.code()))


def test_a_token_of_another_contract_is_refused(alice: User, app: TotpApp) -> None:
    token = mfa_tokens.issue(mfa_tokens.LOGIN, alice, "admin")
    with pytest.raises(TokenInvalid):
        complete(token, SubmittedCode(app.code()))


def test_a_security_key_completes_a_login(alice: User) -> None:
    key = Authenticator(verifies_user=False)
    enrol_key(alice, key)
    token = challenge(alice).token
    answer = SubmittedAssertion(key.get(second_step.options(token=token, origin=ORIGIN)))
    assert complete(token, answer).methods == "pwd hwk mfa"
    assert last_row() == ("success", "", "webauthn")


def test_a_passkey_alone_logs_in(alice: User) -> None:
    key = Authenticator()
    enrol_key(alice, key)
    session = passkeys.sign_in(credential=key.get(passkeys.options()), issuer=SESSIONS, origin=ORIGIN)
    assert (session.user, session.methods) == (alice, "hwk user mfa")


def test_an_answer_of_a_passkey_serves_once(alice: User) -> None:
    key = Authenticator(sign_count=None)
    enrol_key(alice, key)
    answer = key.get(passkeys.options())
    passkeys.sign_in(credential=answer, issuer=SESSIONS, origin=ORIGIN)
    with pytest.raises(InvalidCredentials):
        passkeys.sign_in(credential=answer, issuer=SESSIONS, origin=ORIGIN)


def test_a_role_that_must_have_a_factor_enrols_first(alice: User, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset({alice.role})
    with pytest.raises(SecondFactorEnrollmentRequired) as raised:
        log_in(alice)
    assert mfa_tokens.read(mfa_tokens.ENROLLMENT, raised.value.token, "native").is_of(alice)
    assert last_row() == ("challenged", "second_factor_not_enrolled", "")


def test_a_role_that_must_have_a_factor_is_refused_by_a_client_without_a_field(alice: User, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = frozenset({alice.role})
    with pytest.raises(InvalidCredentials):
        log_in(alice, step=FactorStep.IN_PASSWORD)
    assert last_row() == ("failed", "second_factor_not_enrolled", "")
