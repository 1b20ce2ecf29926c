import pytest

from accounts.models import SigningKey
from accounts.security.keys import KeyRing, ring
from accounts.tests.tools import race


@pytest.mark.django_db
def test_a_key_is_made_on_first_need_and_then_kept() -> None:
    assert KeyRing().newest("test", "ES256") == KeyRing().newest("test", "ES256")
    assert SigningKey.objects.count() == 1


@pytest.mark.django_db
def test_a_key_is_encrypted_at_rest() -> None:
    key = ring.newest("test", "HS256")
    assert key.secret not in SigningKey.objects.get().encrypted


@pytest.mark.django_db
@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48)])
def test_an_hmac_key_is_as_long_as_its_hash(algorithm: str, length: int) -> None:
    assert len(ring.newest("test", algorithm).signing) == length


@pytest.mark.django_db
def test_a_key_of_another_set_is_not_found() -> None:
    assert ring.find("other", ring.newest("test", "ES256").kid) is None


@pytest.mark.django_db
def test_a_public_key_has_no_private_part() -> None:
    key = ring.newest("test", "ES256")
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


@pytest.mark.django_db(transaction=True)
def test_processes_that_need_the_first_key_at_once_agree_on_one() -> None:
    keys = race(8, lambda _: KeyRing().newest("test", "ES256"))
    assert {key.kid for key in keys} == set(SigningKey.objects.values_list("kid", flat=True))
    assert SigningKey.objects.count() == 1
