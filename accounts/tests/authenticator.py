"""A WebAuthn authenticator in software, which answers options as a browser does (WebAuthn Level 3)."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

ORIGIN: Final = "https://localhost"
_USER_PRESENT, _USER_VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One credential; `sign_count` is that of the last answer, and None for an authenticator that does not count."""

    origin: str = ORIGIN
    rp_id: str = "localhost"
    verifies_user: bool = True
    cross_origin: bool = False
    sign_count: int | None = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: str = ""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer `PublicKeyCredentialCreationOptionsJSON`."""
        self.user_handle = options["user"]["id"]
        public_key = cbor2.dumps(self.public_key())
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + public_key
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(_ATTESTED) + attested}
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(self._client_data("webauthn.create", options["challenge"])),
                "attestationObject": bytes_to_base64url(cbor2.dumps(attestation)),
                "transports": ["internal"],
            }
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer `PublicKeyCredentialRequestOptionsJSON`."""
        if self.sign_count is not None:
            self.sign_count += 1
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(client_data),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(signature),
                "userHandle": self.user_handle,
            }
        )

    def public_key(self) -> dict[int, Any]:
        """Return the public key as COSE has it (RFC 9053)."""
        public = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)}

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        own_id = bytes_to_base64url(self.credential_id)
        return {"id": own_id, "rawId": own_id, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client_data(self, kind: str, challenge: str) -> bytes:
        # Encoded anew, as a browser does with the bytes of the challenge.
        text = bytes_to_base64url(base64url_to_bytes(challenge))
        data = {"type": kind, "challenge": text, "origin": self.origin, "crossOrigin": self.cross_origin}
        return json.dumps(data).encode()

    def _data(self, flags: int) -> bytes:
        flags |= _USER_PRESENT | (_USER_VERIFIED if self.verifies_user else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.sign_count or 0)
