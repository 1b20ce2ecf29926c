"""Logins by a passkey alone: what binds them, and what a wrong one is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from webauthn.helpers.structs import AuthenticatorTransport

from accounts.errors import AccountDisabled, InvalidCredentials, TooManyAttempts, TooManyLogins
from accounts.models import AttemptBudget, Session, User
from accounts.policies import LOGINS_LIMIT
from accounts.security import authenticators
from accounts.services import identifiers, passkeys, sign_in
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, SESSIONS, enrol_key
from accounts.tests.tools import PASSWORD
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(alice: User) -> Authenticator:
    key = Authenticator(sign_count=None)
    enrol_key(alice, key)
    return key


def log_in(credential: dict[str, Any]) -> Session:
    return passkeys.sign_in(credential=credential, issuer=SESSIONS, origin=ORIGIN)


def answer(key: Authenticator) -> dict[str, Any]:
    return key.get(passkeys.options())


def lock(user: User) -> None:
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in(identifier=identifiers.of_user(user), password="wrong", issuer=SESSIONS, origin=ORIGIN)


def test_no_lock_binds_a_right_passkey_nor_does_it_end_one(alice: User, key: Authenticator) -> None:
    lock(alice)
    assert log_in(answer(key)).user == alice
    with pytest.raises(TooManyAttempts):
        sign_in.sign_in(identifier=identifiers.of_user(alice), password=PASSWORD, issuer=SESSIONS, origin=ORIGIN)


def test_locks_bind_a_wrong_one(alice: User, key: Authenticator) -> None:
    lock(alice)
    key.user_handle = "another"
    with pytest.raises(TooManyAttempts):
        log_in(answer(key))


def test_an_answer_that_has_served_is_a_wrong_one(alice: User, key: Authenticator) -> None:
    used = answer(key)
    log_in(used)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            log_in(used)
    with pytest.raises(TooManyAttempts):
        log_in(used)
    assert LoginAttempt.objects.filter(failure_reason="second_factor_wrong", factor="webauthn").count() == 5


def test_logins_by_passkey_count_among_the_accounts_logins(alice: User, key: Authenticator) -> None:
    log_in(answer(key))
    row = AttemptBudget.objects.filter(account_id=alice.pk, purpose="login:successes")
    row.update(count=LOGINS_LIMIT.limit, expires_at=timezone.now() + timedelta(minutes=1))
    with pytest.raises(TooManyLogins):
        log_in(answer(key))
    assert Session.objects.count() == 1


def test_only_a_right_passkey_is_told_that_the_account_is_disabled(alice: User, key: Authenticator) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(AccountDisabled):
        log_in(answer(key))
    with pytest.raises(InvalidCredentials):
        log_in({**answer(key), "response": {}})


def test_the_transports_are_those_that_the_library_knows() -> None:
    assert frozenset(each.value for each in AuthenticatorTransport) == authenticators._TRANSPORTS
