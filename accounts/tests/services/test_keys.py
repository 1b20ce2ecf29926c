"""Rotation with overlap: what a token's reader sees of it, here and at a downstream service."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.contracts.native.tokens import ACCESS
from accounts.errors import TokenExpired, TokenInvalid
from accounts.models import SigningKey
from accounts.security import tokens
from accounts.security.keys import given_keys, ring
from accounts.services import keys
from accounts.services.keys import KeyChangeRefused, Rotation
from accounts.tests.races import race
from accounts.tests.tools import later
from audit.models import SecurityEvent
from audit.origin import CONSOLE

pytestmark = pytest.mark.usefixtures("stopped_clock")

# Half a minute each for the nodes and for their readers to learn of the new key, then a token's life and a minute
# for clocks that differ.
OVERLAP = timedelta(seconds=60 + 900 + 60)


@pytest.fixture
def former(no_keys: None) -> str:
    """The name of the first key of native access tokens."""
    with time_machine.travel(timezone.now() - timedelta(days=90)):
        return ring.signer(ACCESS).kid


def rotate() -> Rotation:
    return keys.rotate(purpose=ACCESS.purpose, origin=CONSOLE)


def token(lifetime: int = 900) -> str:
    return tokens.sign(ACCESS, {"sub": "1", "exp": int(timezone.now().timestamp()) + lifetime})


def name_in(token: str) -> Any:
    return jwt.get_unverified_header(token)["kid"]


def published() -> jwt.PyJWKSet:
    return jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())


def published_names() -> list[str | None]:
    return [key.key_id for key in published().keys]


class TestNewTokens:
    def test_until_all_nodes_have_read_the_new_key_the_former_signs(self, former: str) -> None:
        rotate()
        with later(seconds=59):
            assert name_in(token()) == former

    def test_after_a_minute_they_carry_the_new_key(self, former: str) -> None:
        rotation = rotate()
        with later(seconds=60):
            assert name_in(token()) == rotation.key.kid

    @pytest.mark.django_db
    def test_while_no_key_is_read_everywhere_the_oldest_signs(self) -> None:
        first = ring.signer(ACCESS).kid
        rotate()
        ring.forget()
        assert name_in(token()) == first

    def test_a_downstream_service_verifies_them(self, former: str) -> None:
        rotate()
        with later(seconds=60):
            new = token()
            assert jwt.decode(new, published()[name_in(new)], algorithms=["ES256"])["sub"] == "1"

    def test_when_the_former_key_is_retired_they_carry_the_new_one_at_once(self, former: str) -> None:
        rotation = rotate()
        keys.retire(kid=former, origin=CONSOLE)
        ring.forget()
        assert name_in(token()) == rotation.key.kid


class TestOldTokens:
    @pytest.fixture
    def old(self, former: str) -> str:
        """A token of the last moment in which the former key signs."""
        rotate()
        with later(seconds=59):
            return token()

    def test_tokens_are_valid_until_they_expire(self, old: str) -> None:
        with later(seconds=59 + 898):
            assert tokens.read(ACCESS, old)["sub"] == "1"

    def test_they_end_as_they_would_have(self, old: str) -> None:
        with later(seconds=59 + 901), pytest.raises(TokenExpired):
            tokens.read(ACCESS, old)

    def test_a_downstream_service_verifies_them(self, old: str) -> None:
        with later(seconds=59 + 898):
            assert jwt.decode(old, published()[name_in(old)], algorithms=["ES256"])["sub"] == "1"

    def test_tokens_of_a_retired_key_are_refused(self, former: str, old: str) -> None:
        keys.retire(kid=former, origin=CONSOLE)
        with later(seconds=59 + 30), pytest.raises(TokenInvalid):
            tokens.read(ACCESS, old)

    def test_after_the_overlap_nothing_that_their_key_signs_is_taken(self, former: str) -> None:
        rotate()
        forged = token(lifetime=86400)
        with later(seconds=OVERLAP.total_seconds() + 1), pytest.raises(TokenInvalid):
            tokens.read(ACCESS, forged)


class TestPublishedKeys:
    def test_after_a_rotation_both_are_published(self, former: str) -> None:
        rotation = rotate()
        with later(seconds=30):
            assert published_names() == [rotation.key.kid, former]

    def test_the_former_is_published_until_its_tokens_have_expired(self, former: str) -> None:
        rotation = rotate()
        with later(seconds=OVERLAP.total_seconds() - 1):
            assert published_names() == [rotation.key.kid, former]

    def test_then_it_is_gone_by_itself(self, former: str) -> None:
        rotation = rotate()
        with later(seconds=OVERLAP.total_seconds() + 1):
            assert published_names() == [rotation.key.kid]

    def test_a_retired_key_is_gone_after_half_a_minute(self, former: str) -> None:
        rotation = rotate()
        ring.all(ACCESS)
        keys.retire(kid=former, origin=CONSOLE)
        with later(seconds=30):
            assert published_names() == [rotation.key.kid]


class TestRotation:
    def test_it_is_an_event(self, former: str) -> None:
        rotation = rotate()
        event = SecurityEvent.objects.get()
        assert (event.event, event.contract, event.user_id, event.detail) == (
            "key:rotated",
            "console",
            None,
            {"purpose": "native:access", "kid": rotation.key.kid, "former": former},
        )

    def test_the_new_key_is_of_the_same_kind(self, former: str) -> None:
        rotate()
        kinds = SigningKey.objects.values_list("number", "purpose", "algorithm", "lifetime")
        assert list(kinds) == [(number, "native:access", "ES256", timedelta(minutes=15)) for number in (2, 1)]

    def test_the_former_key_verifies_until_its_tokens_have_expired(self, former: str) -> None:
        with time_machine.travel(timezone.now(), tick=False):
            rotation = rotate()
            assert rotation.former_until == timezone.now() + OVERLAP
        assert SigningKey.objects.get(pk=former).verifies_until == rotation.former_until

    def test_it_removes_keys_whose_tokens_have_expired(self, former: str) -> None:
        second = rotate().key.kid
        with later(seconds=OVERLAP.total_seconds() + 1):
            third = rotate().key.kid
        assert list(SigningKey.objects.values_list("kid", flat=True)) == [third, second]

    def test_the_refusal_of_an_unknown_set_names_the_existing_ones(self, former: str, settings: Settings) -> None:
        settings.JWT_KEYS = {"clinic": "c" * 32}
        with pytest.raises(KeyChangeRefused) as error:
            keys.rotate(purpose="native:acess", origin=CONSOLE)
        assert str(error.value) == "There is no key set native:acess. The key sets are: clinic, native:access."

    def test_a_key_from_the_environment_cannot_be_rotated(self, settings: Settings) -> None:
        settings.JWT_KEYS = {"clinic": "c" * 32}
        with pytest.raises(KeyChangeRefused) as error:
            keys.rotate(purpose="clinic:access", origin=CONSOLE)
        assert str(error.value) == (
            "The key of clinic is set in the environment: change CLINIC_JWT_KEY there and restart every node."
        )

    def test_it_works_where_the_former_key_cannot_be_read(self, former: str, settings: Settings) -> None:
        settings.SECRET_KEY = "another"
        rotation = rotate()
        keys.retire(kid=former, origin=CONSOLE)
        ring.forget()
        assert ring.signer(ACCESS).kid == rotation.key.kid


class TestRetirement:
    def test_it_is_an_event(self, former: str) -> None:
        rotate()
        keys.retire(kid=former, origin=CONSOLE)
        event = SecurityEvent.objects.get(event="key:retired")
        assert (event.contract, event.user_id, event.detail) == (
            "console",
            None,
            {"purpose": "native:access", "kid": former},
        )

    def test_the_newest_key_stays(self, former: str) -> None:
        with pytest.raises(KeyChangeRefused) as error:
            keys.retire(kid=former, origin=CONSOLE)
        assert str(error.value) == (
            f"{former} is the newest key of native:access: run `manage.py keys rotate native:access` first."
        )
        assert SigningKey.objects.filter(pk=former).exists()

    @pytest.mark.django_db
    def test_an_unknown_key_is_refused(self) -> None:
        with pytest.raises(KeyChangeRefused) as error:
            keys.retire(kid="0" * 16, origin=CONSOLE)
        assert str(error.value) == f"There is no key {'0' * 16}; `manage.py keys list` shows the existing keys."

    def test_a_key_from_the_environment_cannot_be_retired(self, settings: Settings) -> None:
        settings.JWT_KEYS = {"clinic": "c" * 32}
        (key,) = given_keys().values()
        with pytest.raises(KeyChangeRefused) as error:
            keys.retirable(key.kid)
        assert str(error.value) == (
            "The key of clinic is set in the environment: change CLINIC_JWT_KEY there and restart every node."
        )


@pytest.mark.django_db(transaction=True)
def test_of_rotations_at_once_each_makes_one_key_or_is_refused() -> None:
    ring.signer(ACCESS)
    results = race(6, lambda _: rotate())
    done = [result for result in results if isinstance(result, Rotation)]
    refused = [str(result) for result in results if isinstance(result, KeyChangeRefused)]
    assert refused == ["Another process has just rotated native:access; nothing was changed."] * (6 - len(done))
    # The database has the keys of other sets too, unless a test before this one has emptied it.
    own = SigningKey.objects.filter(purpose=ACCESS.purpose)
    ends = own.values_list("number", "verifies_until").order_by("-number")
    assert [(number, end is None) for number, end in ends] == [
        (number, number == len(done) + 1) for number in range(len(done) + 1, 0, -1)
    ]
    assert SecurityEvent.objects.filter(event="key:rotated").count() == len(done) > 0


@pytest.mark.django_db(transaction=True)
def test_of_retirements_at_once_one_is_done() -> None:
    former = ring.signer(ACCESS).kid
    rotate()
    results = race(6, lambda _: keys.retire(kid=former, origin=CONSOLE))
    assert [type(result) for result in results].count(type(None)) == 1
    assert SecurityEvent.objects.filter(event="key:retired").count() == 1
