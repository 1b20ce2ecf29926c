"""What is remembered of a token that was verified; forged ones are tried at the contracts' clients."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from accounts.errors import TokenExpired, TokenInvalid
from accounts.models import SigningKey
from accounts.security import keys, tokens
from accounts.tests.security.test_keys import POLICY, add_key
from accounts.tests.tools import later

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

OTHER = replace(POLICY, typ="other+jwt")


@pytest.fixture
def verifications() -> Iterator[Callable[[], int]]:
    """Count how often a signature is verified."""
    with mock.patch.object(tokens.KeyedBackend, "decode", autospec=True, side_effect=tokens.KeyedBackend.decode) as spy:
        yield lambda: spy.call_count


def token(**claims: Any) -> str:
    return tokens.sign(POLICY, {"sub": "1", "exp": int(timezone.now().timestamp()) + 900, **claims})


def test_a_signature_is_verified_once(verifications: Callable[[], int]) -> None:
    good = token()
    assert tokens.read(POLICY, good) == tokens.read(POLICY, good)
    assert verifications() == 1


def test_a_second_token_is_verified_too(verifications: Callable[[], int]) -> None:
    tokens.read(POLICY, token())
    tokens.read(POLICY, token(sub="2"))
    assert verifications() == 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_token_that_differs_in_one_letter_from_a_remembered_one_is_refused(place: int) -> None:
    parts = token().split(".")
    tokens.read(POLICY, ".".join(parts))
    middle = len(parts[place]) // 2
    other = "A" if parts[place][middle] != "A" else "B"
    parts[place] = parts[place][:middle] + other + parts[place][middle + 1 :]
    with pytest.raises(TokenInvalid):
        tokens.read(POLICY, ".".join(parts))


def test_a_refused_token_is_refused_again() -> None:
    bad = token()[:-4] + "AAAA"
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            tokens.read(POLICY, bad)


def test_a_token_of_another_algorithm_than_its_policys_is_refused() -> None:
    weaker = replace(POLICY, algorithm="HS256")
    good = tokens.sign(weaker, {"exp": int(timezone.now().timestamp()) + 900})
    assert tokens.read(weaker, good)
    with pytest.raises(TokenInvalid):
        tokens.read(POLICY, good)


def test_a_remembered_token_expires() -> None:
    good = token()
    tokens.read(POLICY, good)
    with later(seconds=901), pytest.raises(TokenExpired):
        tokens.read(POLICY, good)


def test_a_remembered_token_of_one_kind_is_none_of_another() -> None:
    good = token()
    tokens.read(POLICY, good)
    with pytest.raises(TokenInvalid):
        tokens.read(OTHER, good)


def test_a_readers_change_of_the_claims_is_not_remembered() -> None:
    good = token(groups=["ward 7"])
    for _ in range(2):
        tokens.read(POLICY, good)["groups"].append("pharmacy")
    assert tokens.read(POLICY, good)["groups"] == ["ward 7"]


def test_the_oldest_token_is_forgotten_when_there_are_too_many(
    verifications: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "REMEMBERED_TOKENS", 2)
    first, *others = [token(sub=str(number)) for number in range(3)]
    for good in (first, *others, *others, first):
        tokens.read(POLICY, good)
    assert verifications() == 4


def test_changed_keys_empty_the_memory(verifications: Callable[[], int]) -> None:
    good = token()
    tokens.read(POLICY, good)
    add_key(2)
    with later(seconds=30):
        tokens.read(POLICY, good)
    assert verifications() == 2


def test_keys_that_were_read_again_and_are_the_same_do_not(verifications: Callable[[], int]) -> None:
    good = token()
    tokens.read(POLICY, good)
    with later(seconds=30):
        tokens.read(POLICY, good)
    assert verifications() == 1


def test_a_remembered_token_is_refused_without_its_key() -> None:
    good = token()
    tokens.read(POLICY, good)
    add_key(2)
    SigningKey.objects.filter(number=1).delete()
    with later(seconds=30), pytest.raises(TokenInvalid):
        tokens.read(POLICY, good)


def test_a_remembered_token_expires_with_its_key() -> None:
    add_key(1)
    SigningKey.objects.update(verifies_until=timezone.now() + timedelta(seconds=10))
    good = token()
    tokens.read(POLICY, good)
    with later(seconds=11), pytest.raises(TokenInvalid):
        tokens.read(POLICY, good)
