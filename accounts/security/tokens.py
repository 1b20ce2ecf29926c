"""JSON Web Tokens (RFC 7519), signed and read by one policy each."""

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from accounts.errors import TokenExpired, TokenInvalid
from accounts.policies import CLOCK_SKEW, TokenPolicy
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
    """Return a token with these claims, signed by the policy's newest key."""
    return _backend(ring.newest(policy.purpose, policy.algorithm)).sign(claims, policy.typ)


def read(policy: TokenPolicy, token: str) -> dict[str, Any]:
    """Return the claims of a token that was made by `sign` with the same policy.

    The header only chooses among the policy's own keys; its algorithm, `jku`, `jwk` and `x5u` are never followed.
    Raises TokenInvalid and TokenExpired.
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenInvalid
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise TokenInvalid from error
    kid = header.get("kid")
    key = ring.find(policy.purpose, kid) if isinstance(kid, str) else None
    if key is None or key.algorithm != policy.algorithm or header.get("typ") != policy.typ or "crit" in header:
        raise TokenInvalid
    try:
        claims: dict[str, Any] = _backend(key).decode(token)  # type: ignore[arg-type]  # It takes text.
    except TokenBackendExpiredToken as error:
        raise TokenExpired from error
    except (TokenBackendError, ValueError, OverflowError) as error:
        raise TokenInvalid from error
    # The leeway is for clocks that differ, not to prolong a token.
    expires = claims.get("exp")
    if not isinstance(expires, int) or isinstance(expires, bool):
        raise TokenInvalid
    if expires <= time.time():
        raise TokenExpired
    return claims
