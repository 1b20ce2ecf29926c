import pytest
from pytest_django.fixtures import Settings

from accounts.security.encryption import DecryptionError, decrypt, encrypt

pytestmark = pytest.mark.any_database

# Encrypted when only key sets were encrypted, with the SECRET_KEY "long ago".
STORED = "gAAAAABrAHaFFcE43NyWxfFuXZkAVi4J4X1pLKYvSQpQjAbUBc4VmcPcST0BRDHkFodoblUzHsHuLmofrCwhZZHnl7d1FW6xjg=="


def test_an_encrypted_text_is_decrypted() -> None:
    assert decrypt("messages", encrypt("messages", "482915 药房")) == "482915 药房"


def test_an_encrypted_text_is_not_readable() -> None:
    assert "482915" not in encrypt("messages", "482915")


def test_another_purpose_cannot_read_it() -> None:
    with pytest.raises(DecryptionError):
        decrypt("signing keys", encrypt("messages", "482915"))


def test_another_secret_key_cannot_read_it(settings: Settings) -> None:
    encrypted = encrypt("messages", "482915")
    settings.SECRET_KEY = "another"
    with pytest.raises(DecryptionError) as error:
        decrypt("messages", encrypted)
    assert str(error.value) == (
        "A text encrypted for messages cannot be decrypted with the current SECRET_KEY, nor with one of "
        "SECRET_KEY_FALLBACKS."
    )


def test_a_former_key_among_the_fallbacks_reads_it(settings: Settings) -> None:
    encrypted = encrypt("messages", "482915")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", ["older", settings.SECRET_KEY]
    assert decrypt("messages", encrypted) == "482915"


def test_the_first_key_encrypts(settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = ["former"]
    encrypted = encrypt("messages", "482915")
    settings.SECRET_KEY_FALLBACKS = []
    assert decrypt("messages", encrypted) == "482915"


def test_signing_keys_that_are_stored_already_stay_readable(settings: Settings) -> None:
    settings.SECRET_KEY = "long ago"
    assert decrypt("signing keys", STORED) == "an old key"
