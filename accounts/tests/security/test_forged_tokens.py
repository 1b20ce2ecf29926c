"""Forged and malformed tokens: the reader that every contract shares takes none of them."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone

from accounts.errors import TokenExpired, TokenInvalid
from accounts.policies import TokenPolicy
from accounts.security import tokens
from accounts.security.keys import Key, ring

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

POLICIES = {
    algorithm: TokenPolicy(f"test:{algorithm.lower()}", algorithm, "at+jwt", lifetime=timedelta(minutes=15))
    for algorithm in ("ES256", "HS256")
}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
OTHER_SECRET = b"the secret of another issuer, and long enough for any hash"
OTHER_JWK = {"kty": "oct", "k": base64.urlsafe_b64encode(OTHER_SECRET).rstrip(b"=").decode()}
OTHER_URL = "https://192.0.2.66/keys.json"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def now() -> int:
    return int(timezone.now().timestamp())


@dataclass(frozen=True)
class Valid:
    """A token that the reader takes, and what is needed to make another like it."""

    policy: TokenPolicy
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "1", "iat": now(), "exp": now() + 900})

    @property
    def key(self) -> Key:
        return ring.signer(self.policy)

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": self.key.algorithm, "kid": self.key.kid, "typ": self.policy.typ}

    @property
    def text(self) -> str:
        return tokens.sign(self.policy, self.claims)

    def signed(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a token signed with the right key; a claim that is given as `...` is left out."""
        payload = {name: value for name, value in {**self.claims, **claims}.items() if value is not ...}
        return self.signed_text(json.dumps(payload), header)

    def signed_text(self, payload: str, header: dict[str, Any] | None = None) -> str:
        """Return a token signed with the right key whose claims are any text."""
        headers = {**self.header, **(header or {})}
        return jwt.PyJWS().encode(payload.encode(), self.key.signing, algorithm=self.key.algorithm, headers=headers)

    def signed_otherwise(self, key: Any, algorithm: str, **header: Any) -> str:
        """Return the valid claims and header, signed with another key or algorithm."""
        headers = {"kid": self.key.kid, "typ": self.policy.typ, **header}
        return jwt.PyJWS().encode(json.dumps(self.claims).encode(), key, algorithm=algorithm, headers=headers)

    def with_header(self, header: bytes) -> str:
        """Return the token with another header before its claims and signature."""
        return ".".join([encoded(header), *self.text.split(".")[1:]])

    def unsigned(self, alg: str) -> str:
        header, claims = json.dumps({**self.header, "alg": alg}), json.dumps(self.claims)
        return f"{encoded(header.encode())}.{encoded(claims.encode())}."


def as_pem(key: Key) -> bytes:
    """Return what a reader of the published keys may take for a shared secret."""
    if key.algorithm != "ES256":
        return RSA_PUBLIC
    return bytes(
        key.verifying.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def hmac_token(valid: Valid, secret: bytes) -> str:
    """Return the valid claims, signed with HS256 and any secret; PyJWT itself would refuse a public key as one."""
    header = {"alg": "HS256", "kid": valid.key.kid, "typ": valid.policy.typ}
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(valid.claims).encode())}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


Forgery = Callable[[Valid], str]
SIGNATURES: dict[str, Forgery] = {
    "alg none": lambda valid: valid.unsigned("none"),
    "alg None": lambda valid: valid.unsigned("None"),
    "alg NONE": lambda valid: valid.unsigned("NONE"),
    "no alg": lambda valid: valid.with_header(json.dumps({"kid": valid.key.kid, "typ": valid.policy.typ}).encode()),
    "alg a list": lambda valid: valid.with_header(json.dumps({**valid.header, "alg": ["HS256"]}).encode()),
    "HS256 with the public key": lambda valid: hmac_token(valid, as_pem(valid.key)),
    "HS256 with no key": lambda valid: hmac_token(valid, b""),
    "HS512": lambda valid: valid.signed_otherwise(OTHER_SECRET * 2, "HS512"),
    "RS256": lambda valid: valid.signed_otherwise(RSA, "RS256"),
    "another secret": lambda valid: hmac_token(valid, OTHER_SECRET),
    "jwk": lambda valid: valid.signed_otherwise(OTHER_SECRET, "HS256", jwk=OTHER_JWK),
    "jku": lambda valid: valid.signed_otherwise(RSA, "RS256", jku=OTHER_URL),
    "x5u": lambda valid: valid.signed_otherwise(RSA, "RS256", x5u=OTHER_URL),
    "x5c": lambda valid: valid.signed_otherwise(RSA, "RS256", x5c=["MIIB"]),
}
FORGERIES: dict[str, Forgery] = {
    "unknown kid": lambda valid: valid.signed({"kid": "0123456789abcdef"}),
    "kid as a path": lambda valid: valid.signed({"kid": "../../dev/null"}),
    "kid as SQL": lambda valid: valid.signed({"kid": "' OR 1=1 -- "}),
    "kid of 10 kB": lambda valid: valid.signed({"kid": "0" * 10_000}),
    "kid of 2 kB": lambda valid: valid.signed({"kid": "0" * 2_000}),
    "kid with NUL": lambda valid: valid.signed({"kid": valid.key.kid + "\0"}),
    "kid a number": lambda valid: valid.with_header(json.dumps({**valid.header, "kid": 1}).encode()),
    "kid a list": lambda valid: valid.with_header(json.dumps({**valid.header, "kid": [valid.key.kid]}).encode()),
    "kid null": lambda valid: valid.with_header(json.dumps({**valid.header, "kid": None}).encode()),
    "crit": lambda valid: valid.signed({"crit": ["exp"]}),
    "crit empty": lambda valid: valid.signed({"crit": []}),
    "b64 false": lambda valid: valid.signed({"b64": False, "crit": ["b64"]}),
    "typ of a refresh token": lambda valid: valid.signed({"typ": "refresh+jwt"}),
    "header a list": lambda valid: valid.with_header(b"[]"),
    "header a number": lambda valid: valid.with_header(b"1"),
    "header not JSON": lambda valid: valid.with_header(b"{"),
    "header very deep": lambda valid: valid.with_header(b"[" * 2200),
    "header not UTF-8": lambda valid: valid.with_header(b'{"alg":"\xff"}'),
    "claims a list": lambda valid: valid.signed_text("[]"),
    "claims not JSON": lambda valid: valid.signed_text("{"),
    "claims very deep": lambda valid: valid.signed_text("[" * 1200 + "]" * 1200),
    "exp missing": lambda valid: valid.signed(exp=...),
    "exp null": lambda valid: valid.signed(exp=None),
    "exp text": lambda valid: valid.signed(exp="tomorrow"),
    "exp a number in a text": lambda valid: valid.signed(exp=str(now() + 600)),
    "exp a fraction": lambda valid: valid.signed(exp=now() + 600.5),
    "exp a list": lambda valid: valid.signed(exp=[now() + 600]),
    "exp beyond any number": lambda valid: valid.signed_text(json.dumps(valid.claims | {"exp": 0})[:-2] + "1e400}"),
    "exp NaN": lambda valid: valid.signed(exp=float("nan")),
    "nbf in an hour": lambda valid: valid.signed(nbf=now() + 3600),
    "nbf text": lambda valid: valid.signed(nbf="now"),
    "nbf beyond any number": lambda valid: valid.signed(nbf=float("inf")),
    "iat in ten minutes": lambda valid: valid.signed(iat=now() + 600),
    "iat text": lambda valid: valid.signed(iat="now"),
    "iat beyond any number": lambda valid: valid.signed(iat=float("inf")),
    "aud": lambda valid: valid.signed(aud="elsewhere"),
    "two parts": lambda valid: valid.text.rpartition(".")[0],
    "three parts of nothing": lambda valid: "..",
    "five parts": lambda valid: f"{valid.text}.{valid.text.split('.')[1]}.AAAA",
    "five empty parts": lambda valid: "....",
    "no parts": lambda valid: "null",
    "NUL": lambda valid: "\0",
    "letters beyond ASCII": lambda valid: "é.é.é",
    "white space in it": lambda valid: valid.text.replace(".", ". ", 1),
    "a no-break space before it": lambda valid: f"\u00a0{valid.text}",
    "a comma behind it": lambda valid: f"{valid.text},",
    "twice": lambda valid: f"{valid.text},{valid.text}",
    "in quotes": lambda valid: f'"{valid.text}"',
    "very long": lambda valid: valid.text + "A" * 64_000,
    "dots": lambda valid: "." * 4000,
}


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("A header of the token was followed."))


@pytest.mark.parametrize("algorithm", POLICIES)
def test_the_token_that_the_forgeries_are_made_from_is_valid(algorithm: str) -> None:
    valid = Valid(POLICIES[algorithm])
    assert tokens.read(valid.policy, valid.text) == tokens.read(valid.policy, valid.signed()) == valid.claims


@pytest.mark.parametrize("algorithm", POLICIES)
@pytest.mark.parametrize("forgery", SIGNATURES)
def test_a_forged_signature_is_refused(algorithm: str, forgery: str) -> None:
    valid = Valid(POLICIES[algorithm])
    with pytest.raises(TokenInvalid):
        tokens.read(valid.policy, SIGNATURES[forgery](valid))


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_malformed_token_is_refused(forgery: str) -> None:
    valid = Valid(POLICIES["ES256"])
    with pytest.raises(TokenInvalid):
        tokens.read(valid.policy, FORGERIES[forgery](valid))


@pytest.mark.parametrize("exp", [lambda: now() - 1, lambda: True], ids=["a second ago", "true, which is 1 in Python"])
def test_a_token_past_its_time_is_expired(exp: Callable[[], int]) -> None:
    valid = Valid(POLICIES["ES256"])
    with pytest.raises(TokenExpired):
        tokens.read(valid.policy, valid.signed(exp=exp()))


def test_the_clock_of_the_issuer_may_be_five_seconds_ahead() -> None:
    valid = Valid(POLICIES["ES256"])
    assert tokens.read(valid.policy, valid.signed(iat=now() + 5))
