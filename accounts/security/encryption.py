"""Encryption of stored secrets with a key derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class DecryptionError(Exception):
    """The text was encrypted with another SECRET_KEY, or for another purpose, or was altered."""


def encrypt(purpose: str, text: str) -> str:
    """Return the text encrypted; only `decrypt` with the same purpose and SECRET_KEY reads it."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def decrypt(purpose: str, encrypted: str) -> str:
    """Return what was encrypted for this purpose. Raises DecryptionError."""
    try:
        return _cipher(purpose).decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError(
            f"A text encrypted for {purpose} cannot be decrypted with the current SECRET_KEY."
        ) from error


def _cipher(purpose: str) -> Fernet:
    """Return the cipher of one purpose. A renamed purpose would make its stored values unreadable."""
    label = f"authsvc {purpose}".encode()
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=label).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
