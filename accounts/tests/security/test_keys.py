from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import KeysUnavailable, TokenInvalid
from accounts.models import SigningKey
from accounts.policies import TokenPolicy
from accounts.security import tokens
from accounts.security.keys import Key, KeyRing, new_row, ring
from accounts.tests.races import race
from accounts.tests.tools import later

pytestmark = pytest.mark.usefixtures("stopped_clock")

POLICY = TokenPolicy("test:access", "ES256", "at+jwt", lifetime=timedelta(minutes=15))
SHARED = TokenPolicy("union:access", "HS384", "JWT", lifetime=timedelta(hours=24))
SECRET = "药" * 16  # 48 bytes


def hmac_policy(algorithm: str) -> TokenPolicy:
    return TokenPolicy("test:hmac", algorithm, "JWT", lifetime=timedelta(hours=1))


def add_key(number: int) -> str:
    """Add a key to the set as another process would, and return its name."""
    row = new_row(purpose=POLICY.purpose, number=number, algorithm=POLICY.algorithm, lifetime=POLICY.lifetime)
    row.save()
    return row.kid


@pytest.mark.usefixtures("no_keys")
class TestStoredKeys:
    def test_a_key_is_made_on_first_need_and_then_kept(self) -> None:
        assert KeyRing().signer(POLICY) == KeyRing().signer(POLICY)
        assert SigningKey.objects.count() == 1

    def test_a_key_is_encrypted_at_rest(self) -> None:
        key = ring.signer(hmac_policy("HS256"))
        assert key.secret not in SigningKey.objects.get().encrypted

    def test_a_key_does_not_print_its_secret(self) -> None:
        key = ring.signer(hmac_policy("HS256"))
        assert key.secret not in repr(key)

    @pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48)])
    def test_an_hmac_key_is_as_long_as_its_hash(self, algorithm: str, length: int) -> None:
        assert len(ring.signer(hmac_policy(algorithm)).signing) == length

    def test_a_key_of_another_set_is_not_found(self) -> None:
        kid = ring.signer(POLICY).kid
        assert ring.current_with(hmac_policy("HS256"), kid).find(kid, timezone.now()) is None

    def test_a_public_key_has_no_private_part(self) -> None:
        key = ring.signer(POLICY)
        public = key.public_jwk()
        assert public == {
            "kty": "EC",
            "crv": "P-256",
            "x": public["x"],
            "y": public["y"],
            "kid": key.kid,
            "use": "sig",
            "alg": "ES256",
        }

    def test_a_key_of_another_secret_key_says_what_to_do(self, settings: Settings) -> None:
        kid = ring.signer(POLICY).kid
        ring.forget()
        settings.SECRET_KEY = "another"
        with pytest.raises(KeysUnavailable) as error:
            ring.signer(POLICY)
        assert str(error.value) == (
            f"Signing key {kid} of test:access was encrypted with another SECRET_KEY: set the former SECRET_KEY in "
            "SECRET_KEY_FALLBACKS, or, if it is lost, run `manage.py keys rotate --all` and then `manage.py keys "
            "retire` for each older key that `manage.py keys list` shows, which ends every session."
        )

    @pytest.mark.parametrize("unreadable", [1, 2])
    def test_a_key_that_cannot_be_read_leaves_the_others_of_its_set(self, unreadable: int) -> None:
        ring.signer(POLICY)
        add_key(2)
        SigningKey.objects.filter(number=unreadable).update(encrypted="rubbish")
        ring.forget()
        assert [key.kid for key in ring.all(POLICY)] == [SigningKey.objects.get(number=3 - unreadable).kid]

    def test_a_key_whose_tokens_have_expired_need_not_be_readable(self) -> None:
        ring.signer(POLICY)
        SigningKey.objects.update(encrypted="rubbish", verifies_until=timezone.now())
        new = add_key(2)
        ring.forget()
        assert [key.kid for key in ring.all(POLICY)] == [new]


@pytest.mark.usefixtures("no_keys")
@pytest.mark.django_db(transaction=True)
def test_processes_that_need_the_first_key_at_once_agree_on_one() -> None:
    keys = race(8, lambda _: KeyRing().signer(POLICY))
    assert {key.kid for key in keys} == set(SigningKey.objects.values_list("kid", flat=True))
    assert SigningKey.objects.count() == 1


@pytest.mark.django_db
class TestOtherNodesKeys:
    @pytest.fixture
    def first(self) -> Key:
        return ring.signer(POLICY)

    def names(self) -> list[str]:
        return [key.kid for key in ring.all(POLICY)]

    def test_within_half_a_minute_the_keys_are_not_read_again(self, first: Key, statements: Any) -> None:
        with later(seconds=29), statements() as captured:
            ring.signer(POLICY)
        assert captured.sql == []

    def test_a_new_key_is_known_after_half_a_minute(self, first: Key) -> None:
        new = add_key(2)
        with later(seconds=30):
            assert self.names() == [new, first.kid]

    def test_a_removed_key_is_forgotten_after_half_a_minute(self, first: Key) -> None:
        second = add_key(2)
        ring.forget()
        assert self.names() == [second, first.kid]
        SigningKey.objects.filter(pk=first.kid).delete()
        with later(seconds=30):
            assert self.names() == [second]

    def test_a_key_that_is_to_end_ends_in_time(self, first: Key) -> None:
        add_key(2)
        SigningKey.objects.filter(pk=first.kid).update(verifies_until=timezone.now() + timedelta(seconds=40))
        ring.forget()
        with later(seconds=29):
            assert first.kid in self.names()
        with later(seconds=41):
            assert first.kid not in self.names()

    def test_a_key_ends_in_time_though_nothing_is_read_again(self, first: Key) -> None:
        add_key(2)
        SigningKey.objects.filter(pk=first.kid).update(verifies_until=timezone.now() + timedelta(seconds=10))
        ring.forget()
        self.names()
        with later(seconds=11):
            assert first.kid not in self.names()

    def test_a_token_of_a_key_that_was_just_made_is_taken_at_once(self, first: Key) -> None:
        SigningKey.objects.update(verifies_until=timezone.now() - timedelta(seconds=1))
        new = add_key(2)
        elsewhere = KeyRing().signer(POLICY)
        claims = {"exp": int(timezone.now().timestamp()) + 60}
        token = jwt.encode(claims, elsewhere.signing, "ES256", headers={"kid": new, "typ": POLICY.typ})
        assert tokens.read(POLICY, token) == claims

    @pytest.mark.parametrize("kid", ["x", "", "../../dev/null", "\x00", "\ud800", "A" * 16, "0" * 17])
    def test_what_names_no_key_is_not_looked_for(self, first: Key, statements: Any, kid: str) -> None:
        with statements() as captured:
            ring.current_with(POLICY, kid)
        assert captured.sql == []

    def test_an_unknown_name_costs_one_statement(self, first: Key, statements: Any) -> None:
        with statements() as captured:
            ring.current_with(POLICY, "0" * 16)
        assert len(captured.sql) == 1, captured.sql


class TestGivenKeys:
    @pytest.fixture(autouse=True)
    def _given(self, settings: Settings) -> None:
        ring.forget()
        settings.JWT_KEYS = {"union": SECRET}

    @pytest.mark.usefixtures("no_keys")
    def test_no_key_is_made(self) -> None:
        ring.signer(SHARED)
        assert not SigningKey.objects.exists()

    def test_no_database_is_asked(self) -> None:
        ring.current_with(SHARED, "0" * 16)

    def test_a_service_with_the_shared_secret_reads_a_token(self) -> None:
        token = tokens.sign(SHARED, {"username": "alice"})
        assert jwt.decode(token, SECRET, algorithms=["HS384"]) == {"username": "alice"}

    def test_a_token_signed_with_the_shared_secret_is_read(self) -> None:
        claims = {"username": "alice", "exp": int(timezone.now().timestamp()) + 60}
        headers = {"kid": ring.signer(SHARED).kid, "typ": "JWT"}
        token = jwt.encode(claims, SECRET, algorithm="HS384", headers=headers)
        assert tokens.read(SHARED, token) == claims

    def test_its_name_follows_from_the_secret_alone(self, settings: Settings) -> None:
        names = [KeyRing().signer(SHARED).kid for _ in range(2)]
        settings.JWT_KEYS = {"union": SECRET[::-1] + "x"}
        assert names == ["41ae21914cac238f"] * 2
        assert KeyRing().signer(SHARED).kid != names[0]

    @pytest.mark.usefixtures("no_keys")
    def test_it_wins_over_a_stored_key(self, settings: Settings) -> None:
        settings.JWT_KEYS = {}
        token = tokens.sign(SHARED, {"exp": int(timezone.now().timestamp()) + 60})
        settings.JWT_KEYS = {"union": SECRET}
        ring.forget()
        (key,) = ring.all(SHARED)
        assert key.signing == SECRET.encode()
        with pytest.raises(TokenInvalid):
            tokens.read(SHARED, token)

    @pytest.mark.usefixtures("no_keys")
    def test_other_contracts_keep_their_stored_keys(self) -> None:
        assert ring.signer(POLICY).kid == SigningKey.objects.get().kid
