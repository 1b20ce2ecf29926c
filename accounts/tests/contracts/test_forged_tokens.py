"""Tokens that somebody made up, or bent: none opens any contract, and none is worth more than a 401."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone

from accounts.models import User
from accounts.policies import TokenPolicy
from accounts.security.keys import Key, ring
from accounts.tests.contracts.clients import CLIENTS, NATIVE, ContractClient
from accounts.tests.tools import Api

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.django_db,
    pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name),
]

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
SOMEBODYS_SECRET = b"known to somebody else, and long enough for any hash"
SOMEBODYS_JWK = {"kty": "oct", "k": base64.urlsafe_b64encode(SOMEBODYS_SECRET).rstrip(b"=").decode()}
CANARY = "https://192.0.2.66/keys.json"


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="doctor")


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@dataclass(frozen=True)
class Good:
    """A token that opens, and all that is needed to make another like it."""

    text: str
    policy: TokenPolicy

    @property
    def key(self) -> Key:
        return ring.signer(self.policy)

    @property
    def header(self) -> dict[str, Any]:
        return dict(jwt.get_unverified_header(self.text))

    @property
    def claims(self) -> dict[str, Any]:
        return dict(jwt.decode(self.text, options={"verify_signature": False}))

    def signed(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a token signed with the right key; a claim that is given as `...` is left out."""
        payload = {name: value for name, value in {**self.claims, **claims}.items() if value is not ...}
        return self.signed_text(json.dumps(payload), header)

    def signed_text(self, payload: str, header: dict[str, Any] | None = None) -> str:
        """Return a token signed with the right key whose claims are any text."""
        key = self.key
        headers = {**self.header, **(header or {})}
        return jwt.PyJWS().encode(payload.encode(), key.signing, algorithm=key.algorithm, headers=headers)

    def signed_otherwise(self, key: Any, algorithm: str, **header: Any) -> str:
        """Return the good token's claims and header, signed with another key or algorithm."""
        headers = {"kid": self.key.kid, "typ": self.policy.typ, **header}
        return jwt.PyJWS().encode(json.dumps(self.claims).encode(), key, algorithm=algorithm, headers=headers)

    def with_header(self, header: bytes) -> str:
        """Return the token with another header before its claims and signature."""
        return ".".join([encoded(header), *self.text.split(".")[1:]])

    def unsigned(self, alg: str) -> str:
        header, claims = json.dumps({**self.header, "alg": alg}), json.dumps(self.claims)
        return f"{encoded(header.encode())}.{encoded(claims.encode())}."

    @property
    def now(self) -> int:
        return int(timezone.now().timestamp())


@pytest.fixture
def good(client: ContractClient) -> Good:
    policy = import_module(f"accounts.contracts.{client.name}.tokens").ACCESS
    return Good(client.log_in(), policy)


def as_pem(key: Key) -> bytes:
    """Return what a reader of the published keys may take for a shared secret."""
    if key.algorithm != "ES256":
        return RSA_PUBLIC
    return bytes(
        key.verifying.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def hmac_token(good: Good, secret: bytes) -> str:
    """Return the good claims, signed with HS256 and any secret; PyJWT itself would refuse a public key as one."""
    header = {"alg": "HS256", "kid": good.key.kid, "typ": good.policy.typ}
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(good.claims).encode())}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


FORGERIES: dict[str, Callable[[Good], str]] = {
    "alg none": lambda good: good.unsigned("none"),
    "alg None": lambda good: good.unsigned("None"),
    "alg NONE": lambda good: good.unsigned("NONE"),
    "no alg": lambda good: good.with_header(json.dumps({"kid": good.key.kid, "typ": good.policy.typ}).encode()),
    "alg a list": lambda good: good.with_header(json.dumps({**good.header, "alg": ["HS256"]}).encode()),
    "HS256 with the public key": lambda good: hmac_token(good, as_pem(good.key)),
    "HS256 with no key": lambda good: hmac_token(good, b""),
    "HS512": lambda good: good.signed_otherwise(SOMEBODYS_SECRET * 2, "HS512"),
    "RS256": lambda good: good.signed_otherwise(RSA, "RS256"),
    "signed by somebody": lambda good: hmac_token(good, SOMEBODYS_SECRET),
    "jwk": lambda good: good.signed_otherwise(SOMEBODYS_SECRET, "HS256", jwk=SOMEBODYS_JWK),
    "jku": lambda good: good.signed_otherwise(RSA, "RS256", jku=CANARY),
    "x5u": lambda good: good.signed_otherwise(RSA, "RS256", x5u=CANARY),
    "x5c": lambda good: good.signed_otherwise(RSA, "RS256", x5c=["MIIB"]),
    "unknown kid": lambda good: good.signed({"kid": "0123456789abcdef"}),
    "kid as a path": lambda good: good.signed({"kid": "../../dev/null"}),
    "kid as SQL": lambda good: good.signed({"kid": "' OR 1=1 -- "}),
    "kid of 10 kB": lambda good: good.signed({"kid": "0" * 10_000}),
    "kid of 2 kB": lambda good: good.signed({"kid": "0" * 2_000}),
    "kid with NUL": lambda good: good.signed({"kid": good.key.kid + "\0"}),
    "kid a number": lambda good: good.with_header(json.dumps({**good.header, "kid": 1}).encode()),
    "kid a list": lambda good: good.with_header(json.dumps({**good.header, "kid": [good.key.kid]}).encode()),
    "kid null": lambda good: good.with_header(json.dumps({**good.header, "kid": None}).encode()),
    "crit": lambda good: good.signed({"crit": ["exp"]}),
    "crit empty": lambda good: good.signed({"crit": []}),
    "b64 false": lambda good: good.signed({"b64": False, "crit": ["b64"]}),
    "typ of a refresh token": lambda good: good.signed({"typ": "refresh+jwt"}),
    "header a list": lambda good: good.with_header(b"[]"),
    "header a number": lambda good: good.with_header(b"1"),
    "header not JSON": lambda good: good.with_header(b"{"),
    "header very deep": lambda good: good.with_header(b"[" * 2200),
    "header not UTF-8": lambda good: good.with_header(b'{"alg":"\xff"}'),
    "claims a list": lambda good: good.signed_text("[]"),
    "claims not JSON": lambda good: good.signed_text("{"),
    "claims very deep": lambda good: good.signed_text("[" * 1200 + "]" * 1200),
    "exp missing": lambda good: good.signed(exp=...),
    "exp null": lambda good: good.signed(exp=None),
    "exp text": lambda good: good.signed(exp="tomorrow"),
    "exp a number in a text": lambda good: good.signed(exp=str(good.now + 600)),
    "exp a fraction": lambda good: good.signed(exp=good.now + 600.5),
    "exp true": lambda good: good.signed(exp=True),
    "exp a list": lambda good: good.signed(exp=[good.now + 600]),
    "exp beyond any number": lambda good: good.signed_text(json.dumps(good.claims | {"exp": 0})[:-2] + "1e400}"),
    "exp NaN": lambda good: good.signed(exp=float("nan")),
    "exp a second ago": lambda good: good.signed(exp=good.now - 1),
    "nbf in an hour": lambda good: good.signed(nbf=good.now + 3600),
    "nbf text": lambda good: good.signed(nbf="now"),
    "nbf beyond any number": lambda good: good.signed(nbf=float("inf")),
    "iat in ten minutes": lambda good: good.signed(iat=good.now + 600),
    "iat text": lambda good: good.signed(iat="now"),
    "iat beyond any number": lambda good: good.signed(iat=float("inf")),
    "aud": lambda good: good.signed(aud="elsewhere"),
    "sid missing": lambda good: good.signed(sid=...),
    "sid of another type": lambda good: good.signed(sid={"a": 1}),
    "two parts": lambda good: good.text.rpartition(".")[0],
    "five parts": lambda good: f"{good.text}.{good.text.split('.')[1]}.AAAA",
    "five empty parts": lambda good: "....",
    "white space in it": lambda good: good.text.replace(".", ". ", 1),
    "a comma behind it": lambda good: f"{good.text},",
    "twice": lambda good: f"{good.text},{good.text}",
    "very long": lambda good: good.text + "A" * 64_000,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused(
    client: ContractClient, good: Good, forgery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = FORGERIES[forgery](good)
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("A header of the token was followed."))
    response = client.ask(token)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')
    assert client.ask(good.text).status_code == 200


def test_a_clock_that_is_five_seconds_ahead_is_forgiven(client: ContractClient, good: Good) -> None:
    assert client.ask(good.signed(iat=good.now + 5)).status_code == 200


@pytest.mark.parametrize("ending", ["=", "=="])
def test_a_token_with_padding_dies_with_its_session(
    client: ContractClient, good: Good, ending: str, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(password="!")
    assert client.ask(good.text + ending).status_code == client.dead


def test_a_refresh_token_opens_nothing(client: ContractClient) -> None:
    assert client.ask(NATIVE.login().json()["refresh_token"]).status_code == 401


def test_an_access_token_refreshes_nothing_at_the_native_door(client: ContractClient) -> None:
    response = Api().post("refresh", {"refresh_token": client.log_in()})
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")


@pytest.mark.parametrize("parameter", ["token", "access_token", "jwt", "authorization"])
def test_a_token_in_the_address_is_not_looked_at(client: ContractClient, good: Good, parameter: str) -> None:
    assert client.call("GET", f"{client.me}?{parameter}={good.text}").status_code == 401
