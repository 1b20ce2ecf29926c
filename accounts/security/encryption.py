"""Encryption of stored secrets: SECRET_KEY encrypts, and SECRET_KEY_FALLBACKS decrypt too."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class DecryptionError(Exception):
    """The text was encrypted with another SECRET_KEY, or for another purpose, or was altered."""


def encrypt(purpose: str, text: str) -> str:
    """Return the text encrypted with SECRET_KEY; only `decrypt` with the same purpose reads it."""
    return _cipher(purpose, settings.SECRET_KEY).encrypt(text.encode()).decode()


def decrypt(purpose: str, encrypted: str) -> str:
    """Return what was encrypted for this purpose. Raises DecryptionError."""
    try:
        return _ciphers(purpose).decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise _unreadable(purpose) from error


def reencrypt(purpose: str, encrypted: str) -> str:
    """Return the text encrypted with SECRET_KEY; unchanged where it is already. Raises DecryptionError."""
    try:
        _cipher(purpose, settings.SECRET_KEY).decrypt(encrypted.encode())
    except InvalidToken:
        return encrypt(purpose, decrypt(purpose, encrypted))
    return encrypted


def _unreadable(purpose: str) -> DecryptionError:
    return DecryptionError(
        f"A text encrypted for {purpose} cannot be decrypted with the current SECRET_KEY, nor with one of "
        "SECRET_KEY_FALLBACKS."
    )


def _ciphers(purpose: str) -> MultiFernet:
    return MultiFernet([_cipher(purpose, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _cipher(purpose: str, key: str) -> Fernet:
    """Return the cipher of one purpose. A renamed purpose would make its stored values unreadable."""
    label = f"authsvc {purpose}".encode()
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=label).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
