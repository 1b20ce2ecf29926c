"""Who may not come in learns nothing of why, neither by words nor by the work that was done."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptPasswordHasher

from accounts.models import User
from accounts.security.hashers import Argon2id
from accounts.tests.contracts.clients import CLIENTS, CLINIC, ContractClient
from accounts.tests.tools import PASSWORD, captured_statements

pytestmark = pytest.mark.django_db

MALFORMED = "argon2$argon2id$v=19$m=19456,t=2,p=1$%%%$%%%"
# What is done to the account before somebody tries a wrong password.
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
STATE = pytest.mark.parametrize("state", STATES)
CLIENT = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


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


@STATE
@CLIENT
def test_a_wrong_password_costs_one_hash_and_is_told_the_same(
    client: ContractClient, state: str, alice: User, hashed: list[str]
) -> None:
    STATES[state](alice)
    hashed.clear()
    response = client.login("wrong-password")
    assert (hashed, (response.status_code, response.json())) == (["Argon2id"], client.wrong)


@pytest.mark.parametrize("password", [PASSWORD, "wrong-password"], ids=["right", "wrong"])
def test_in_the_hardened_profile_the_clinics_reset_is_the_same(
    password: str, alice: User, hashed: list[str], settings: Any
) -> None:
    settings.PROFILE = "hardened"
    alice.delete()
    body = {**CLINIC.account, "old_password": password, "new_password": "correct horse battery staple"}
    response = CLINIC.call("POST", "reset_password", body)
    assert (hashed, response.status_code, response.json()) == (["Argon2id"], 400, {"detail": CLINIC.wrong[1]["detail"]})


@STATE
@CLIENT
def test_a_second_wrong_password_costs_the_database_the_same(client: ContractClient, state: str, alice: User) -> None:
    def statements(password: str, **who: str) -> int:
        with captured_statements() as captured:
            client.login(password, **who)
        return len(captured.sql)

    STATES[state](alice)
    client.login("wrong-password")
    client.login("wrong-password", **client.unknown)
    assert statements("wrong-password") == statements("wrong-password", **client.unknown)
