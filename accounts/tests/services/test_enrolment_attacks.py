"""Attacks on the enrolment and the removal of second factors: with a stolen session, or with a hostile credential."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.errors import IdentityError, InvalidCode, InvalidInput, NotFound, OwnAccount, PermissionDenied
from accounts.models import SecondFactor, User
from accounts.policies import FACTORS_LIMIT
from accounts.services import second_factors
from accounts.tests.authenticator import Authenticator
from accounts.tests.factors import ORIGIN, TotpApp, enrol_app, enrol_key
from accounts.tests.tools import PASSWORD, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db


class TamperedAuthenticator(Authenticator):
    """An authenticator with a public key, or an id, of somebody's choice."""

    def __init__(self, key: dict[int, Any] | None = None, credential_id: bytes = b"id") -> None:
        super().__init__(credential_id=credential_id)
        self.chosen = key

    def public_key(self) -> dict[int, Any]:
        return self.chosen or super().public_key()


RSA_MODULUS = b"\xff" * 2048
HOSTILE: dict[str, TamperedAuthenticator] = {
    "an RSA key of 16384 bits": TamperedAuthenticator({1: 3, 3: -257, -1: RSA_MODULUS, -2: b"\x01\x00\x01"}),
    "an algorithm that was not offered": TamperedAuthenticator(
        {1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\x01\x00\x01"}
    ),
    "a key with much beside it": TamperedAuthenticator({**Authenticator().public_key(), 99: b"x" * 50_000}),
    "an id that is too long": TamperedAuthenticator(credential_id=b"x" * 1024),
    "no algorithm": TamperedAuthenticator({1: 2}),
}


def options(user: User) -> dict[str, Any]:
    return second_factors.creation_options(user=user, password=PASSWORD, origin=ORIGIN)


def add(user: User, credential: dict[str, Any], *, first: bool = False) -> None:
    second_factors.add_credential(user=user, credential=credential, name="", first=first, origin=ORIGIN)


def refused(error: type[IdentityError], work: Callable[..., object], *args: Any, **options: Any) -> IdentityError:
    """Require this very error, and that no factor came or went."""
    before = list(SecondFactor.objects.in_force().values_list("pk", flat=True))
    with pytest.raises(IdentityError) as raised:
        work(*args, **options)
    after = list(SecondFactor.objects.in_force().values_list("pk", flat=True))
    assert (type(raised.value), after) == (error, before)
    return raised.value


def problem_codes(error: IdentityError) -> dict[str, list[str]]:
    assert isinstance(error, InvalidInput)
    return {field: [problem.code for problem in problems] for field, problems in error.errors.items()}


@pytest.fixture
def app(alice: User) -> TotpApp:
    return enrol_app(alice)


class TestStolenSession:
    @pytest.mark.parametrize("begin", [second_factors.begin_app, second_factors.creation_options])
    def test_without_the_password_nothing_is_enrolled(self, alice: User, begin: Callable[..., object]) -> None:
        error = refused(InvalidInput, begin, user=alice, password="wrong", origin=ORIGIN)
        assert problem_codes(error) == {"password": ["wrong_password"]}
        assert not SecondFactor.objects.exists()

    @pytest.mark.parametrize(
        ("password", "code", "field"),
        [("wrong", "", "password"), (PASSWORD, "000000", "code")],
        ids=["password", "code"],
    )
    def test_without_the_password_and_a_code_nothing_is_removed(
        self, alice: User, app: TotpApp, password: str, code: str, field: str
    ) -> None:
        entered = {"password": password, "code": code or app.code(), "origin": ORIGIN}
        error = refused(InvalidInput, second_factors.remove, user=alice, factor_id=app.factor_id, **entered)
        assert list(problem_codes(error)) == [field]
        refused(InvalidInput, second_factors.replace_recovery_codes, user=alice, **entered)
        assert second_factors.recovery_codes_left(alice) == 10

    def test_an_administrator_does_not_remove_the_own_factors_without_them(self, head: User) -> None:
        enrol_app(head)
        refused(OwnAccount, second_factors.remove_all, user=head, reason="", actor=head, origin=ORIGIN)

    def test_an_administrator_does_not_remove_a_superusers_factors(self, head: User, root: User) -> None:
        enrol_app(root)
        refused(PermissionDenied, second_factors.remove_all, user=root, reason="", actor=head, origin=ORIGIN)

    def test_a_factor_of_another_user_is_not_found(self, app: TotpApp, bob: User) -> None:
        his = enrol_app(bob)
        entered = {"password": PASSWORD, "code": his.code(), "origin": ORIGIN}
        refused(NotFound, second_factors.remove, user=bob, factor_id=app.factor_id, **entered)

    def test_an_app_of_another_user_is_not_confirmed(self, alice: User, bob: User) -> None:
        new = second_factors.begin_app(user=alice, password=PASSWORD, origin=ORIGIN)
        code = TotpApp(new.id, new.secret, []).code(0)
        confirm = second_factors.confirm_app
        refused(NotFound, confirm, user=bob, factor_id=new.id, code=code, first=False, origin=ORIGIN)


class TestDowngrade:
    def test_a_first_factor_is_not_enrolled_beside_another(self, alice: User) -> None:
        answer = Authenticator().create(options(alice))
        new = second_factors.begin_app(user=alice, password=PASSWORD, origin=ORIGIN)
        code = TotpApp(new.id, new.secret, []).code(0)
        enrol_key(alice, Authenticator())
        confirm = second_factors.confirm_app
        refused(InvalidCode, add, alice, answer, first=True)
        refused(InvalidCode, confirm, user=alice, factor_id=new.id, code=code, first=True, origin=ORIGIN)

    def test_a_refused_enrolment_keeps_the_recovery_codes(self, alice: User, app: TotpApp) -> None:
        refused(InvalidCode, add, alice, Authenticator().create(options(alice)), first=True)
        second_factors.remove(
            user=alice, factor_id=app.factor_id, password=PASSWORD, code=app.recovery_codes[0], origin=ORIGIN
        )

    def test_an_enrolment_that_was_begun_with_a_former_password_ends(self, alice: User) -> None:
        credential = Authenticator().create(options(alice))
        alice.set_password("Another-horse-8")
        alice.save()
        refused(InvalidCode, add, User.objects.get(pk=alice.pk), credential)

    def test_an_app_is_confirmed_once(self, alice: User, app: TotpApp) -> None:
        confirm = second_factors.confirm_app
        refused(NotFound, confirm, user=alice, factor_id=app.factor_id, code=app.code(), first=False, origin=ORIGIN)


class TestCredential:
    @pytest.mark.parametrize("case", HOSTILE)
    def test_a_hostile_one_is_refused(self, alice: User, case: str) -> None:
        refused(InvalidCode, add, alice, HOSTILE[case].create(options(alice)))

    def test_the_longest_id_and_an_rsa_key_of_4096_bits_are_not(self, alice: User) -> None:
        rsa = {1: 3, 3: -257, -1: b"\xff" * 512, -2: b"\x01\x00\x01"}
        add(alice, TamperedAuthenticator(rsa, b"x" * 1023).create(options(alice)))
        assert SecondFactor.objects.count() == 1

    @pytest.mark.parametrize(
        "tampering",
        [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"cross_origin": True}],
        ids=str,
    )
    def test_one_for_another_site_is_refused(self, alice: User, tampering: dict[str, Any]) -> None:
        refused(InvalidCode, add, alice, Authenticator(**tampering).create(options(alice)))

    def test_one_that_the_account_has_already_is_refused(self, alice: User) -> None:
        key = Authenticator()
        enrol_key(alice, key)
        refused(InvalidCode, add, alice, key.create(options(alice)))

    def test_one_that_another_account_has_is_refused(self, alice: User, bob: User) -> None:
        key = Authenticator()
        enrol_key(alice, key)
        refused(InvalidCode, add, bob, key.create(options(bob)))
        assert SecondFactor.objects.get().user == alice

    def test_the_challenge_of_another_user_is_refused(self, alice: User, bob: User) -> None:
        refused(InvalidCode, add, alice, Authenticator().create(options(bob)))

    def test_an_expired_challenge_is_refused(self, alice: User) -> None:
        credential = Authenticator().create(options(alice))
        with later(minutes=5, seconds=1):
            refused(InvalidCode, add, alice, credential)

    def test_an_account_has_at_most_ten_factors(self, alice: User) -> None:
        for _ in range(FACTORS_LIMIT):
            enrol_key(alice, Authenticator())
        error = refused(InvalidInput, add, alice, Authenticator().create(options(alice)))
        assert (FACTORS_LIMIT, problem_codes(error)) == (10, {"factor": ["too_many_factors"]})
        assert SecurityEvent.objects.filter(event="second_factor:added").count() == 10
