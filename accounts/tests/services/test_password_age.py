"""Passwords that expire, and former ones that may not return: both only where the settings say so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.errors import InvalidInput, InvalidSecondFactor, PasswordExpired, TokenInvalid
from accounts.models import FormerPassword, Session, User
from accounts.policies import active_profile
from accounts.services import identifiers, passwords, sign_in
from accounts.services.factor_check import FactorStep
from accounts.tests.factors import ORIGIN, SESSIONS, enrol_app
from accounts.tests.tools import PASSWORD, later
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Battery-staple-8"


@pytest.fixture
def _expiring(alice: User, settings: Settings) -> Iterator[None]:
    """Let passwords expire after 90 days, and go on on the 90th."""
    settings.PASSWORD_MAX_AGE = timedelta(days=90)
    with later(days=90):
        yield


def log_in(user: User, password: str = PASSWORD, **options: Any) -> Session:
    options.setdefault("step", FactorStep.SEPARATE)
    return sign_in.sign_in(
        identifier=identifiers.of_user(user), password=password, issuer=SESSIONS, origin=ORIGIN, **options
    )


def expired(user: User, **options: Any) -> str:
    """Return the token that a login with an expired password gets."""
    with pytest.raises(PasswordExpired) as raised:
        log_in(user, **options)
    return raised.value.token


def change_expired(token: str, new: str = NEW) -> None:
    passwords.change_expired(token=token, new=new, rule=active_profile().native_change, origin=ORIGIN)


def change(user: User, old: str, new: str) -> None:
    passwords.change(user=user, old=old, new=new, rule=active_profile().native_change, origin=ORIGIN)
    user.refresh_from_db()


def problem_of(user: User, old: str, new: str) -> str:
    with pytest.raises(InvalidInput) as raised:
        change(user, old, new)
    return raised.value.errors["new_password"][0].code


@pytest.mark.usefixtures("_expiring")
class TestAge:
    def test_an_expired_password_opens_no_session_and_the_trail_says_why(self, alice: User) -> None:
        expired(alice)
        assert not Session.objects.exists()
        row = LoginAttempt.objects.get()
        assert (row.status, row.failure_reason, row.user) == ("failed", "password_expired", alice)

    def test_the_token_of_the_login_changes_the_password_once(self, alice: User) -> None:
        token = expired(alice)
        change_expired(token)
        assert log_in(alice, NEW).user == alice
        assert SecurityEvent.objects.filter(event="password:changed", user=alice).count() == 1
        with pytest.raises(TokenInvalid):
            change_expired(token, "Third-password-9")

    def test_the_expired_password_is_no_new_one(self, alice: User) -> None:
        with pytest.raises(InvalidInput) as raised:
            change_expired(expired(alice), PASSWORD)
        assert raised.value.errors == {"new_password": [passwords.UNCHANGED]}

    def test_a_disabled_account_changes_no_expired_password(self, alice: User) -> None:
        token = expired(alice)
        User.objects.filter(pk=alice.pk).update(is_active=False)
        with pytest.raises(TokenInvalid):
            change_expired(token)

    def test_the_second_factor_comes_first_and_its_code_serves_once(self, alice: User) -> None:
        code = enrol_app(alice).code()
        expired(alice, code=code)
        assert LoginAttempt.objects.get(failure_reason="password_expired").factor == "totp"
        with pytest.raises(InvalidSecondFactor):
            log_in(alice, code=code)

    def test_an_expired_password_is_still_the_current_one_for_those_who_are_logged_in(self, alice: User) -> None:
        change(alice, PASSWORD, NEW)


def test_any_change_of_the_password_begins_its_age_and_a_rehash_does_not(alice: User) -> None:
    for way in ("save", "update_fields", "update", "bulk_update"):
        before = alice.password_changed_at
        alice.set_password(way)
        if way == "update":
            User.objects.filter(pk=alice.pk).update(password=alice.password)
        elif way == "bulk_update":
            User.objects.bulk_update([alice], ["password"])
        else:
            alice.save(update_fields=["password"] if way == "update_fields" else None)
        alice.refresh_from_db()
        assert alice.password_changed_at > before, way
    User.objects.rehash(alice.password, "x")
    alice.save()
    assert User.objects.get(pk=alice.pk).password_changed_at == alice.password_changed_at


class TestHistory:
    @pytest.fixture(autouse=True)
    def _two(self, settings: Settings) -> None:
        settings.PASSWORD_HISTORY = 2

    def test_the_last_former_passwords_may_not_return_and_older_ones_may(self, alice: User) -> None:
        first, second, third, fourth = PASSWORD, "Second-horse-2", "Third-horse-3", "Fourth-horse-4"
        for old, new in ((first, second), (second, third), (third, fourth)):
            change(alice, old, new)
        assert problem_of(alice, fourth, second) == problem_of(alice, fourth, third) == "password_used_before"
        assert problem_of(alice, fourth, fourth) == "password_unchanged"
        change(alice, fourth, first)

    def test_only_so_many_are_kept_and_they_go_with_the_user(self, alice: User, bob: User) -> None:
        for old, new in ((PASSWORD, NEW), (NEW, "Third-horse-3"), ("Third-horse-3", "Fourth-horse-4")):
            change(alice, old, new)
        change(bob, PASSWORD, NEW)
        assert FormerPassword.objects.filter(user=alice).count() == 2
        alice.delete()
        assert FormerPassword.objects.get().user == bob

    @pytest.mark.parametrize(("kept", "left"), [(1, 1), (0, 0)])
    def test_a_purge_removes_what_a_lower_setting_does_not_keep(
        self, alice: User, settings: Settings, kept: int, left: int, capsys: Any
    ) -> None:
        change(alice, PASSWORD, NEW)
        change(alice, NEW, "Third-horse-3")
        newest = FormerPassword.objects.first()
        settings.PASSWORD_HISTORY = kept
        call_command("purge", "--only", "former_passwords")
        assert list(FormerPassword.objects.all()) == [newest][:left]


def test_without_the_settings_nothing_is_kept_and_nothing_expires(alice: User) -> None:
    change(alice, PASSWORD, NEW)
    with later(days=10_000):
        assert log_in(alice, NEW).user == alice
    assert not FormerPassword.objects.exists()
