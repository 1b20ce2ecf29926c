"""Attacks on a login with a second factor by somebody who has the password or a copy of an authenticator."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.errors import (
    IdentityError,
    InvalidCredentials,
    InvalidSecondFactor,
    TokenInvalid,
    TooManyAttempts,
    TooManyLogins,
)
from accounts.models import Session, User
from accounts.policies import LOGINS_LIMIT, Lockout
from accounts.security import login_quota, mfa_tokens
from accounts.services import identifiers, passkeys, second_factors, second_step, sign_in
from accounts.services.factor_check import FactorStep
from accounts.services.second_step import SubmittedAssertion, SubmittedCode
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, SESSIONS, TotpApp, challenge, enrol_app, enrol_key
from accounts.tests.tools import PASSWORD, later
from audit.events import FailureReason
from audit.models import LoginAttempt
from audit.origin import CONSOLE, Origin

pytestmark = pytest.mark.django_db

Tampering = Callable[[Authenticator], object]


def elsewhere(number: int = 2) -> Origin:
    """Return an address that no account knows."""
    return Origin("native", f"198.51.100.{number}")


def token_of(user: User, origin: Origin = ORIGIN) -> str:
    """Return the token that a right password brings."""
    return challenge(user, origin).token


def options(token: str) -> dict[str, Any]:
    return second_step.options(token=token, origin=ORIGIN)


def complete(
    token: str,
    answer: SubmittedCode | dict[str, Any],
    origin: Origin = ORIGIN,
    rule: sign_in.LoginRule | None = None,
) -> Session:
    answered = answer if isinstance(answer, SubmittedCode) else SubmittedAssertion(answer)
    return second_step.complete(token=token, answer=answered, issuer=SESSIONS, origin=origin, rule=rule)


def passkey_alone(credential: dict[str, Any]) -> Session:
    return passkeys.sign_in(credential=credential, issuer=SESSIONS, origin=ORIGIN)


def refused(error: type[IdentityError], work: Callable[..., object], *args: Any, **options: Any) -> None:
    """Require this very error, and that no session was opened."""
    with pytest.raises(IdentityError) as raised:
        work(*args, **options)
    assert (type(raised.value), Session.objects.count()) == (error, 0)


@pytest.fixture
def key(alice: User) -> Authenticator:
    """A passkey of alice."""
    authenticator = Authenticator()
    enrol_key(alice, authenticator)
    return authenticator


@pytest.fixture
def app(alice: User) -> TotpApp:
    return enrol_app(alice)


TAMPERINGS: dict[str, Tampering] = {
    "a page of another site": lambda key: setattr(key, "origin", "https://evil.example"),
    "a page of a site whose name begins alike": lambda key: setattr(key, "origin", "https://localhost.evil.example"),
    "a page without encryption": lambda key: setattr(key, "origin", "http://localhost"),
    "a page at another port": lambda key: setattr(key, "origin", "https://localhost:8443"),
    "a page in a frame of another site": lambda key: setattr(key, "cross_origin", True),
    "another relying party": lambda key: setattr(key, "rp_id", "evil.example"),
    "another private key": lambda key: setattr(key, "key", ec.generate_private_key(ec.SECP256R1())),
    "a copy with an older counter": lambda key: setattr(key, "sign_count", 0),
}
each_tampering = pytest.mark.parametrize("tampering", TAMPERINGS)


@pytest.fixture
def used_key(alice: User, key: Authenticator) -> Authenticator:
    """A passkey of alice that has signed a login."""
    passkey_alone(key.get(passkeys.options()))
    Session.objects.all().delete()
    return key


class TestAuthenticator:
    def test_the_one_that_is_tampered_with_here_logs_in(self, alice: User, used_key: Authenticator) -> None:
        token = token_of(alice)
        assert complete(token, used_key.get(options(token))).user == alice
        assert passkey_alone(used_key.get(passkeys.options())).user == alice

    @each_tampering
    def test_it_does_not_complete_a_login(self, alice: User, used_key: Authenticator, tampering: str) -> None:
        token = token_of(alice)
        TAMPERINGS[tampering](used_key)
        refused(InvalidSecondFactor, complete, token, used_key.get(options(token)))

    @each_tampering
    def test_it_does_not_log_in_alone(self, used_key: Authenticator, tampering: str) -> None:
        TAMPERINGS[tampering](used_key)
        refused(InvalidCredentials, passkey_alone, used_key.get(passkeys.options()))

    def test_a_key_without_user_verification_does_not_log_in_alone(self, key: Authenticator) -> None:
        key.verifies_user = False
        refused(InvalidCredentials, passkey_alone, key.get(passkeys.options()))

    @pytest.mark.parametrize("whose", ["nobody", "bob"])
    def test_a_passkey_that_does_not_name_its_user_does_not_log_in_alone(
        self, key: Authenticator, bob: User, whose: str
    ) -> None:
        other = Authenticator()
        enrol_key(bob, other)
        key.user_handle = other.user_handle if whose == "bob" else ""
        refused(InvalidCredentials, passkey_alone, key.get(passkeys.options()))

    def test_another_users_key_does_not_complete_a_login(self, alice: User, app: TotpApp, bob: User) -> None:
        his = Authenticator()
        enrol_key(bob, his)
        token = token_of(alice)
        refused(InvalidSecondFactor, complete, token, his.get(options(token)))


class TestChallenge:
    def test_of_another_token(self, alice: User, key: Authenticator) -> None:
        earlier, token = token_of(alice), token_of(alice)
        refused(InvalidSecondFactor, complete, token, key.get(options(earlier)))

    def test_of_another_user(self, alice: User, key: Authenticator, bob: User) -> None:
        enrol_key(bob, Authenticator())
        refused(InvalidSecondFactor, complete, token_of(alice), key.get(options(token_of(bob))))

    def test_of_a_login_by_a_passkey_alone(self, alice: User, key: Authenticator) -> None:
        refused(InvalidSecondFactor, complete, token_of(alice), key.get(passkeys.options()))

    def test_of_a_second_step_for_a_passkey_alone(self, alice: User, key: Authenticator) -> None:
        refused(InvalidCredentials, passkey_alone, key.get(options(token_of(alice))))

    def test_of_an_enrolment(self, alice: User, key: Authenticator) -> None:
        enrolment = second_factors.creation_options(user=alice, password=PASSWORD, origin=ORIGIN)
        refused(InvalidCredentials, passkey_alone, key.get(enrolment))

    def test_made_elsewhere(self, key: Authenticator) -> None:
        refused(InvalidCredentials, passkey_alone, key.get({"challenge": "A" * 75}))

    def test_expired(self, key: Authenticator) -> None:
        answer = key.get(passkeys.options())
        with later(minutes=5, seconds=1):
            refused(InvalidCredentials, passkey_alone, answer)


class TestMeanwhile:
    """What has changed between the two steps."""

    def test_a_removed_factor_completes_no_login(self, alice: User, app: TotpApp, key: Authenticator) -> None:
        token = token_of(alice)
        answer = key.get(options(token))
        added = second_factors.in_force(alice)[-1]
        second_factors.remove(
            user=alice, factor_id=added.pk, password=PASSWORD, code=app.recovery_codes[0], origin=ORIGIN
        )
        refused(InvalidSecondFactor, complete, token, answer)

    def test_factors_that_an_administrator_has_removed_complete_no_login(self, alice: User, app: TotpApp) -> None:
        token = token_of(alice)
        second_factors.remove_all(user=alice, reason="", actor=None, origin=CONSOLE)
        refused(TokenInvalid, complete, token, SubmittedCode(app.code()))

    def test_replaced_recovery_codes_complete_no_login(self, alice: User, app: TotpApp) -> None:
        second_factors.replace_recovery_codes(user=alice, password=PASSWORD, code=app.code(), origin=ORIGIN)
        refused(InvalidSecondFactor, complete, token_of(alice), SubmittedCode(app.recovery_codes[0]))

    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"awaits_approval": True}, {"role": "doctor"}, {"password": "!"}], ids=str
    )
    def test_a_changed_account_completes_no_login(self, alice: User, app: TotpApp, change: dict[str, Any]) -> None:
        token = token_of(alice)
        User.objects.filter(pk=alice.pk).update(**change)
        refused(TokenInvalid, complete, token, SubmittedCode(app.code()))

    def test_a_user_whom_the_rule_refuses_completes_no_login(self, alice: User, app: TotpApp) -> None:
        def never(user: User) -> FailureReason:
            return FailureReason.WRONG_ROLE

        refused(InvalidCredentials, complete, token_of(alice), SubmittedCode(app.code()), rule=never)
        assert LoginAttempt.objects.latest("id").failure_reason == "wrong_role"


class TestDowngrade:
    def test_the_right_password_opens_no_enrolment_beside_a_factor(
        self, alice: User, app: TotpApp, settings: Any
    ) -> None:
        settings.MFA_REQUIRED_ROLES = frozenset({alice.role})
        with pytest.raises(TokenInvalid):
            mfa_tokens.read(mfa_tokens.ENROLLMENT, token_of(alice), "native")

    def test_an_app_that_nobody_has_confirmed_has_no_effect(self, alice: User) -> None:
        alice.set_password("Correct-horse-123456")
        alice.save()
        second_factors.begin_app(user=alice, password="Correct-horse-123456", origin=ORIGIN)
        session = sign_in.sign_in(
            identifier=identifiers.of_user(alice), password="Correct-horse-123456", issuer=SESSIONS, origin=ORIGIN
        )
        assert session.methods == "pwd"

    def test_the_code_of_an_app_that_nobody_has_confirmed_is_wrong(self, alice: User, key: Authenticator) -> None:
        new = second_factors.begin_app(user=alice, password=PASSWORD, origin=ORIGIN)
        refused(InvalidSecondFactor, complete, token_of(alice), SubmittedCode(TotpApp(new.id, new.secret, []).code()))

    def test_another_users_recovery_code_is_wrong(self, alice: User, app: TotpApp, bob: User) -> None:
        codes = enrol_app(bob).recovery_codes
        refused(InvalidSecondFactor, complete, token_of(alice), SubmittedCode(codes[0]))

    def test_another_users_code_is_wrong(self, alice: User, app: TotpApp, bob: User) -> None:
        refused(InvalidSecondFactor, complete, token_of(alice), SubmittedCode(enrol_app(bob).code()))


class TestGuesses:
    def test_those_from_many_addresses_share_one_limit_that_does_not_bind_the_owner(
        self, alice: User, app: TotpApp
    ) -> None:
        token = token_of(alice, elsewhere())
        for number in range(20):
            refused(InvalidSecondFactor, complete, token, SubmittedCode("000000"), elsewhere(number + 3))
        refused(TooManyAttempts, complete, token, SubmittedCode(app.code()), elsewhere(99))
        assert complete(token_of(alice), SubmittedCode(app.code())).user == alice

    def test_too_many_challenges_from_one_address_refuse_nobody_elsewhere(
        self, alice: User, app: TotpApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert LOGINS_LIMIT.limit == 120
        monkeypatch.setattr(login_quota, "LOGINS_LIMIT", Lockout(limit=2, window=LOGINS_LIMIT.window))
        token_of(alice, elsewhere())
        token_of(alice, elsewhere())
        with pytest.raises(TooManyLogins):
            sign_in.sign_in(
                identifier=identifiers.of_user(alice),
                password=PASSWORD,
                issuer=SESSIONS,
                origin=elsewhere(),
                step=FactorStep.SEPARATE,
            )
        assert LoginAttempt.objects.latest("id").failure_reason == "too_many_logins"
        assert complete(token_of(alice), SubmittedCode(app.code())).user == alice
        with later(minutes=10, seconds=1):
            assert token_of(alice, elsewhere())
