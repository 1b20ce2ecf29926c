"""The signature of the trail's anchors, which everybody can verify with the published keys."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accounts.contracts.native.tokens import ACCESS
from accounts.security import tokens


def sign(payload: Mapping[str, Any]) -> str:
    """Return the payload as a JWS (RFC 7515). Its type keeps it from being an access token (RFC 8725, 3.11)."""
    return tokens.sign(replace(ACCESS, typ="trail-anchor+jwt"), payload)
