import secrets

import pytest

from accounts.models import Purpose
from accounts.security import hashing
from accounts.security.budgets import Account
from accounts.security.codes import Target

pytestmark = pytest.mark.any_database

TARGET = Target(Account(user_id=7), Purpose.RESET, "email", "alice@hospital.example")


def test_codes_are_drawn_from_the_systems_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[int] = []

    def draw(bound: int) -> int:
        bounds.append(bound)
        return 42

    monkeypatch.setattr(secrets, "randbelow", draw)
    assert TARGET.make()[0] == "000042"
    assert bounds == [1_000_000]


def test_what_is_stored_of_a_code_is_no_hash_of_the_code_alone() -> None:
    code, encoded = TARGET.make()
    assert encoded.startswith("argon2$argon2id$")
    assert not hashing.verify(code, encoded).correct
