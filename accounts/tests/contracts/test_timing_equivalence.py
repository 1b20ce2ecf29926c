"""A refused login reveals nothing of its reason, neither by its answer nor by the work that was done."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptPasswordHasher

from accounts.models import User
from accounts.security.hashers import Argon2id
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
# Every contract shares the login, so each state is tried through one, and every contract with two.
CASES = [(NATIVE, state) for state in STATES]
CASES += [(client, state) for client in CLIENTS if client is not NATIVE for state in ("wrong password", "missing")]
each_case = pytest.mark.parametrize(("client", "state"), CASES, ids=lambda value: getattr(value, "name", value))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Name each call of a hasher, in order."""
    calls: list[str] = []

    def count(hasher: type[Any], method: str) -> None:
        original = getattr(hasher, method)

        def counted(self: Any, *args: Any) -> Any:
            calls.append(hasher.__name__)
            return original(self, *args)

        monkeypatch.setattr(hasher, method, counted)

    for method in ("encode", "verify"):
        count(Argon2id, method)
        count(BCryptPasswordHasher, method)
    return calls


@each_case
def test_a_wrong_password_costs_one_hash_whatever_the_account(
    client: ContractClient, state: str, alice: User, hashed: list[str]
) -> None:
    STATES[state](alice)
    hashed.clear()
    response = client.login("wrong-password")
    assert (hashed, (response.status_code, response.json())) == (["Argon2id"], client.errors.wrong_credentials)


@pytest.mark.parametrize("password", [PASSWORD, "wrong-password"], ids=["right", "wrong"])
def test_in_the_hardened_profile_the_clinics_reset_costs_the_same(
    password: str, alice: User, hashed: list[str], settings: Any
) -> None:
    settings.PROFILE = "hardened"
    alice.delete()
    body = {**CLINIC.login_fields, "old_password": password, "new_password": "correct horse battery staple"}
    response = CLINIC.call("POST", "reset_password", body)
    assert (hashed, response.status_code, response.json()) == (
        ["Argon2id"],
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
