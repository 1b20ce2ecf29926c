"""WebAuthn credentials: options for the browser, and verification of what authenticators answer (WebAuthn Level 3)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from jwt.utils import base64url_decode, base64url_encode

from accounts.errors import InvalidSecondFactor
from accounts.models import FactorType, SecondFactor, User
from accounts.models.second_factor import CREDENTIAL_ID_LENGTH
from accounts.policies import MFA_TOKEN_LIFE
from accounts.security import challenges

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

# The functions import the library themselves: it takes a tenth of the start and 5 MiB of each process.

JSON = dict[str, Any]

# WebAuthn Level 3, section 4.
_LONGEST_CREDENTIAL_ID: Final = 1023
# In bytes, as COSE: a longer one is no key of an authenticator, and would make each verification slow.
_LONGEST_PUBLIC_KEY: Final = 1024
_TIMEOUT_MS: Final = int(MFA_TOKEN_LIFE.total_seconds() * 1000)
# AuthenticatorTransport of the same document, section 5.8.4.
_TRANSPORTS: Final = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A factor that is not stored yet, and the challenge that its authenticator has answered."""

    factor: SecondFactor
    challenge: bytes


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified answer of an authenticator: the challenge, the counter, and whether it has verified its user."""

    challenge: bytes
    sign_count: int
    user_verified: bool


def user_handle(user: User) -> bytes:
    """Return the id by which authenticators know an account; it says nothing of the person."""
    return hashlib.sha256(f"authsvc user {user.pk}".encode()).digest()


def digest(credential_id: str) -> str:
    """Return the value of the unique column for a credential id."""
    return hashlib.sha256(credential_id.encode()).hexdigest()


def creation_options(user: User, existing: Iterable[SecondFactor], use: str, now: datetime) -> JSON:
    """Return the options for a new credential, as `PublicKeyCredentialCreationOptionsJSON`."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        rp_name=settings.SERVICE_NAME,
        user_id=user_handle(user),
        user_name=user.username,
        user_display_name=user.full_name or user.username,
        challenge=challenges.issue(use, now),
        timeout=_TIMEOUT_MS,
        exclude_credentials=_descriptors(existing),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return _json(options)


def request_options(factors: Iterable[SecondFactor], use: str, now: datetime, *, verified: bool) -> JSON:
    """Return the options for a login, as `PublicKeyCredentialRequestOptionsJSON`.

    Without factors any discoverable credential will do. `verified` requires that the authenticator verifies its user.
    """
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    requirement = UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED
    options = webauthn.generate_authentication_options(
        rp_id=settings.WEBAUTHN_RP_ID,
        challenge=challenges.issue(use, now),
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(factors),
        user_verification=requirement,
    )
    return _json(options)


def new_credential(user: User, credential: Mapping[str, Any], use: str, now: datetime) -> NewCredential:
    """Return the factor of a browser's answer to `creation_options`. Raises InvalidSecondFactor."""
    import webauthn

    challenge, origin = _client_data(credential, use, now)
    try:
        verified = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=settings.WEBAUTHN_RP_ID,
            expected_origin=origin,
        )
    except Exception as error:
        # The library raises more than its own errors for CBOR that a stranger has made.
        raise InvalidSecondFactor from error
    if (
        len(verified.credential_id) > _LONGEST_CREDENTIAL_ID
        or len(verified.credential_public_key) > _LONGEST_PUBLIC_KEY
    ):
        raise InvalidSecondFactor
    credential_id = base64url_encode(verified.credential_id).decode()
    factor = SecondFactor(
        user=user,
        type=FactorType.WEBAUTHN,
        created_at=now,
        confirmed_at=now,
        credential_id=credential_id,
        credential_digest=digest(credential_id),
        public_key=base64url_encode(verified.credential_public_key).decode(),
        sign_count=verified.sign_count,
        transports=_transports(credential),
    )
    return NewCredential(factor, challenge)


def verified_assertion(
    factor: SecondFactor, credential: Mapping[str, Any], use: str, now: datetime, *, verified: bool
) -> Assertion:
    """Return the answer of an authenticator to `request_options`, verified.

    Raises InvalidSecondFactor, also where the counter says that the authenticator was copied, and where `verified` is
    required and its user was not.
    """
    import webauthn

    challenge, origin = _client_data(credential, use, now)
    try:
        result = webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=settings.WEBAUTHN_RP_ID,
            expected_origin=origin,
            credential_public_key=base64url_decode(factor.public_key),
            credential_current_sign_count=factor.sign_count,
            require_user_verification=verified,
        )
    except Exception as error:
        # As above.
        raise InvalidSecondFactor from error
    return Assertion(challenge, result.new_sign_count, result.user_verified)


def credential_id(credential: Mapping[str, Any]) -> str:
    """Return the id in a browser's answer. Raises InvalidSecondFactor."""
    found = credential.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= CREDENTIAL_ID_LENGTH or not found.isascii():
        raise InvalidSecondFactor
    return found


def names_user(credential: Mapping[str, Any], user: User) -> bool:
    """Return whether a discoverable credential's answer names this account, as WebAuthn requires of it."""
    response = credential.get("response")
    handle = response.get("userHandle") if isinstance(response, Mapping) else None
    return handle == base64url_encode(user_handle(user)).decode()


def _client_data(credential: Mapping[str, Any], use: str, now: datetime) -> tuple[bytes, str]:
    """Return the challenge and the origin in an answer, both accepted. Raises InvalidSecondFactor."""
    try:
        data = json.loads(base64url_decode(credential["response"]["clientDataJSON"]))
        challenge, origin = base64url_decode(data["challenge"]), data["origin"]
        framed = data.get("crossOrigin", False)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidSecondFactor from error
    # No page of this service or of its clients asks for a credential inside a frame of another site.
    if framed is not False or not challenges.is_valid(challenge, use, now) or not _is_own_origin(origin):
        raise InvalidSecondFactor
    return challenge, origin


def _is_own_origin(origin: object) -> bool:
    """Return whether the page was one of this service, or of a web application that it allows."""
    if not isinstance(origin, str):
        return False
    hosts = {settings.WEBAUTHN_RP_ID, *(host.lower() for host in settings.ALLOWED_HOSTS if host[0] not in "*.")}
    if origin in {*(f"https://{host}" for host in hosts), *settings.CORS_ALLOWED_ORIGINS}:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return settings.DEBUG and parts.scheme in {"http", "https"} and parts.hostname in hosts


def _descriptors(factors: Iterable[SecondFactor]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=base64url_decode(factor.credential_id),
            transports=[AuthenticatorTransport(each) for each in factor.transports],
        )
        for factor in factors
    ]


def _transports(credential: Mapping[str, Any]) -> list[str]:
    response = credential.get("response")
    given = response.get("transports") if isinstance(response, Mapping) else None
    named = {each for each in given if isinstance(each, str)} if isinstance(given, list) else set()
    return sorted(named & _TRANSPORTS)


def _json(options: Any) -> JSON:
    import webauthn

    found: JSON = json.loads(webauthn.options_to_json(options))
    return found
