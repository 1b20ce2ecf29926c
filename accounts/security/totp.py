"""Time-based one-time passwords (TOTP, RFC 6238), and what an authenticator app needs to make them."""

import logging
from datetime import datetime
from hmac import compare_digest
from typing import Final

import pyotp
from django.conf import settings

from accounts.models import SecondFactor, User
from accounts.policies import TOTP_DIGITS, TOTP_DRIFT, TOTP_STEP
from accounts.security import encryption

logger = logging.getLogger(__name__)

ENCRYPTED_FOR: Final = "totp secrets"


def new_secret() -> str:
    """Return a new secret in base32, of 160 bits (RFC 4226, section 4)."""
    return pyotp.random_base32(32)


def encrypted(secret: str) -> str:
    """Return a secret as it is stored."""
    return encryption.encrypt(ENCRYPTED_FOR, secret)


def secret_of(factor: SecondFactor) -> str:
    """Return the secret of an authenticator app. Raises encryption.DecryptionError."""
    return encryption.decrypt(ENCRYPTED_FOR, factor.encrypted)


def uri(secret: str, user: User) -> str:
    """Return the `otpauth:` URI that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=settings.SERVICE_NAME)


def qr_svg(text: str) -> str:
    """Return a QR code of the text as an SVG element, which needs neither a style nor a file."""
    # As in accounts.security.authenticators.
    import segno

    return segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4, light="#fff", dark="#000")


def is_code(text: str) -> bool:
    """Return whether the text has the form of a one-time password."""
    return len(text) == TOTP_DIGITS and text.isascii() and text.isdigit()


def unspent_step(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """Return the newest time step near `now` whose code this is and that has not served, or None.

    Of two requests with one code the update that spends the step decides. No code is right for a secret that cannot be
    decrypted: its user logs in with a recovery code, or an administrator removes the factor.
    """
    if not is_code(code):
        return None
    try:
        passwords = pyotp.HOTP(secret_of(factor), digits=TOTP_DIGITS)
    except encryption.DecryptionError:
        logger.exception("The authenticator app %s of user %s cannot be used.", factor.pk, factor.user_id)
        return None
    present = int(now.timestamp() // TOTP_STEP.total_seconds())
    steps = range(present + TOTP_DRIFT, present - TOTP_DRIFT - 1, -1)
    matching = (step for step in steps if compare_digest(passwords.at(step), code))
    return next((step for step in matching if step > factor.last_step), None)
