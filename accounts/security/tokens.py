"""JSON Web Tokens (RFC 7519), signed and read by one policy each."""

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from accounts.errors import TokenExpired, TokenInvalid
from accounts.policies import CLOCK_SKEW, TokenPolicy
from accounts.security.clock import clock_check
from accounts.security.keys import Key, ring

LONGEST_TOKEN = 4096


class KeyedBackend(TokenBackend):
    """simplejwt's backend with a header: it writes neither `kid` nor `typ` by itself."""

    def __init__(self, key: Key) -> None:
        super().__init__(key.algorithm, leeway=CLOCK_SKEW)
        self.key = key
        # PyJWT takes prepared keys; simplejwt would parse the PEM for each token.
        self.prepared_signing_key = key.signing
        self.prepared_verifying_key = key.verifying

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        return jwt.encode(
            dict(claims), self.key.signing, algorithm=self.key.algorithm, headers={"kid": self.key.kid, "typ": typ}
        )


@lru_cache(maxsize=64)
def _backend(key: Key) -> KeyedBackend:
    return KeyedBackend(key)


def sign(policy: TokenPolicy, claims: Mapping[str, Any]) -> str:
    """Return a token with these claims, signed by the key that signs for the policy now."""
    return _backend(ring.signer(policy)).sign(claims, policy.typ)


def read(policy: TokenPolicy, token: str) -> dict[str, Any]:
    """Return the claims of a token that was made by `sign` with the same policy.

    The header only chooses among the policy's own keys; its algorithm, `jku`, `jwk` and `x5u` are never followed. A
    signature is verified once as long as the keys stay; the time is looked at always. Raises TokenInvalid and
    TokenExpired, and KeysUnavailable instead while this machine's clock is wrong.
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenInvalid
    payload = ring.current(policy).recall(policy, token, timezone.now()) or _verified_payload(policy, token)
    # What is remembered is text, so that no caller can change another's claims.
    claims: dict[str, Any] = json.loads(payload)
    # The leeway is for clocks that differ, not to prolong a token.
    expires = claims.get("exp")
    if not isinstance(expires, int) or isinstance(expires, bool):
        raise TokenInvalid
    if expires <= time.time():
        clock_check.require_right()
        raise TokenExpired
    return claims


def _verified_payload(policy: TokenPolicy, token: str) -> str:
    """Return the claims, as JSON, of a token whose header and signature are right, and remember them."""
    kid = _key_id(policy, token.partition(".")[0])
    key_set = ring.current_with(policy, kid)
    key = key_set.find(kid, timezone.now())
    if key is None or key.algorithm != policy.algorithm:
        raise TokenInvalid
    try:
        claims = _backend(key).decode(token)  # type: ignore[arg-type]  # It takes text.
    except TokenBackendExpiredToken as error:
        clock_check.require_right()
        raise TokenExpired from error
    except (TokenBackendError, ValueError, OverflowError) as error:
        clock_check.require_right()
        raise TokenInvalid from error
    if "aud" in claims:
        # It is for another audience (RFC 7519, section 4.1.3): no token of this service has one.
        raise TokenInvalid
    payload = json.dumps(claims)
    key_set.remember(policy, token, key, payload)
    return payload


@lru_cache(maxsize=64)
def _key_id(policy: TokenPolicy, header: str) -> str:
    """Return the `kid` in an encoded header, which is the same in all tokens of a key. Raises TokenInvalid."""
    try:
        read = jwt.get_unverified_header(f"{header}..")
    except jwt.InvalidTokenError as error:
        raise TokenInvalid from error
    kid = read.get("kid")
    if not isinstance(kid, str) or read.get("typ") != policy.typ or "crit" in read:
        raise TokenInvalid
    return kid
