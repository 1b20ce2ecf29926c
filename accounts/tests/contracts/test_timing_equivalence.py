"""A refused login reveals nothing of its reason, neither by its answer nor by the work that was done."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.security import former_kinds
from accounts.security.hash_kinds import Argon2, Bcrypt, Pbkdf2, Scrypt
from accounts.tests.contracts.clients import CLIENTS, CLINIC, NATIVE, ContractClient
from accounts.tests.tools import PASSWORD, captured_statements

pytestmark = pytest.mark.django_db

MALFORMED = "argon2$argon2id$v=19$m=19456,t=2,p=1$%%%$%%%"
# What is done to the account before a login with a wrong password.
STATES: dict[str, Callable[[User], object]] = {
    "wrong password": lambda user: None,
    "missing": lambda user: user.delete(),
    "disabled": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "awaiting approval": lambda user: User.objects.filter(pk=user.pk).update(awaits_approval=True),
    "unusable": lambda user: User.objects.filter(pk=user.pk).update(password="!"),
    "empty hash": lambda user: User.objects.filter(pk=user.pk).update(password=""),
    "malformed hash": lambda user: User.objects.filter(pk=user.pk).update(password=MALFORMED),
    "foreign hash": lambda user: User.objects.filter(pk=user.pk).update(password="md5$salt$0123456789abcdef"),
}
# The kind that `conftest.py` makes the default for tests.
DEFAULT = "argon2:id:16:1:1"
BCRYPT = "$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
WERKZEUG = "pbkdf2:sha256:1000$salt$" + "ab" * 32
FORMER: dict[str, Callable[[User], object]] = {
    "bcrypt": lambda user: User.objects.filter(pk=user.pk).update(password=BCRYPT),
    "werkzeug": lambda user: User.objects.filter(pk=user.pk).update(password=WERKZEUG),
}
# Every contract shares the login, so each state is tried through one, and every contract with two.
CASES = [(NATIVE, state) for state in STATES]
CASES += [(client, state) for client in CLIENTS if client is not NATIVE for state in ("wrong password", "missing")]
each_case = pytest.mark.parametrize(("client", "state"), CASES, ids=lambda value: getattr(value, "name", value))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Name the kind of each hash that is derived."""
    calls: list[str] = []

    def count(kind: type[Any]) -> None:
        derive = kind.derive

        def counted(self: Any, *args: Any) -> Any:
            calls.append(self.name)
            return derive(self, *args)

        monkeypatch.setattr(kind, "derive", counted)

    for kind in (Argon2, Bcrypt, Pbkdf2, Scrypt):
        count(kind)
    return calls


@pytest.fixture
def former_hashes(db: None) -> None:
    """One account for each of two kinds of hashes of former systems."""
    User.objects.create(username="first", password=BCRYPT)
    User.objects.create(username="second", password=WERKZEUG)
    former_kinds.refresh()


@each_case
def test_a_wrong_password_costs_one_hash_whatever_the_account(
    client: ContractClient, state: str, alice: User, hashed: list[str]
) -> None:
    STATES[state](alice)
    hashed.clear()
    response = client.login("wrong-password")
    assert (hashed, (response.status_code, response.json())) == ([DEFAULT], client.errors.wrong_credentials)


@pytest.mark.usefixtures("former_hashes")
@pytest.mark.parametrize("state", [*STATES, "bcrypt", "werkzeug"])
def test_a_wrong_password_costs_one_hash_of_each_kind_that_accounts_have(
    state: str, alice: User, hashed: list[str]
) -> None:
    {**STATES, **FORMER}[state](alice)
    NATIVE.login("wrong-password")
    assert sorted(hashed) == [DEFAULT, "bcrypt:4", "pbkdf2:sha256:1000"]


@pytest.mark.parametrize("password", [PASSWORD, "wrong-password"], ids=["right", "wrong"])
def test_in_the_hardened_profile_the_clinics_reset_costs_the_same(
    password: str, alice: User, hashed: list[str], settings: Any
) -> None:
    settings.PROFILE = "hardened"
    alice.delete()
    body = {**CLINIC.login_fields, "old_password": password, "new_password": "correct horse battery staple"}
    response = CLINIC.call("POST", "reset_password", body)
    assert (hashed, response.status_code, response.json()) == (
        [DEFAULT],
        400,
        {"detail": CLINIC.errors.wrong_credentials[1]["detail"]},
    )


@each_case
def test_a_wrong_password_costs_the_same_statements_whatever_the_account(
    client: ContractClient, state: str, alice: User
) -> None:
    def statements(password: str, **who: str) -> int:
        with captured_statements() as captured:
            client.login(password, **who)
        return len(captured.sql)

    STATES[state](alice)
    client.login("wrong-password")
    client.login("wrong-password", **client.unknown_login_fields)
    assert statements("wrong-password") == statements("wrong-password", **client.unknown_login_fields)
