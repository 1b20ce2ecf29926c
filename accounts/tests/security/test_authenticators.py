"""Arbitrary answers of authenticators: whatever a stranger makes of one, it is refused by the one named error."""

import base64
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import InvalidSecondFactor
from accounts.models import SecondFactor, User
from accounts.security import authenticators, challenges
from accounts.tests.authenticator import Authenticator
from accounts.tests.strategies import EVERY_RUN_THE_SAME, TEXT

pytestmark = pytest.mark.any_database

USER = User(pk=7, username="alice")
KEY = Authenticator()
USE = "test"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
CBOR = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.binary(max_size=80) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-4, 4), inner, max_size=6),
    max_leaves=8,
)
FIELDS = ["id", "rawId", "type", "response", "clientExtensionResults"]
RESPONSE_FIELDS = [
    *("clientDataJSON", "attestationObject", "transports", "authenticatorData", "signature", "userHandle"),
]
BINARY = ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]


def registration() -> dict[str, Any]:
    return KEY.create(authenticators.creation_options(USER, (), USE, timezone.now()))


def assertion() -> dict[str, Any]:
    return KEY.get(authenticators.request_options((), USE, timezone.now(), verified=True))


FACTOR = authenticators.new_credential(USER, registration(), USE, timezone.now()).factor


def take(credential: Any) -> None:
    """Hand a credential to everything that reads one; only the named error may come of it."""
    now = timezone.now()
    with suppress(InvalidSecondFactor):
        authenticators.new_credential(USER, credential, USE, now)
    with suppress(InvalidSecondFactor):
        authenticators.verified_assertion(FACTOR, credential, USE, now, verified=True)
    with suppress(InvalidSecondFactor):
        authenticators.credential_id(credential)
    authenticators.names_user(credential, USER)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


either = st.one_of(st.builds(registration), st.builds(assertion))


def test_the_answers_that_are_changed_here_are_valid() -> None:
    FACTOR.sign_count = 0
    now = timezone.now()
    assert isinstance(authenticators.new_credential(USER, registration(), USE, now).factor, SecondFactor)
    assert authenticators.verified_assertion(FACTOR, assertion(), USE, now, verified=True).user_verified


@EVERY_RUN_THE_SAME
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_object(credential: dict[str, Any]) -> None:
    take(credential)


@EVERY_RUN_THE_SAME
@given(either, st.sampled_from(FIELDS), st.sampled_from(RESPONSE_FIELDS), JSON, st.booleans())
def test_an_answer_with_any_value_in_one_place(
    changed: dict[str, Any], field: str, inner: str, value: Any, outside: bool
) -> None:
    if outside:
        changed[field] = value
    else:
        changed["response"][inner] = value
    take(changed)


@EVERY_RUN_THE_SAME
@given(either, st.sampled_from(BINARY), st.integers(0, 400), st.binary(max_size=6), st.integers(0, 6))
def test_an_answer_with_other_bytes_in_one_place(
    changed: dict[str, Any], field: str, start: int, new: bytes, removed: int
) -> None:
    if field in changed["response"]:
        data = decode(changed["response"][field])
        changed["response"][field] = encode(data[:start] + new + data[start + removed :])
    take(changed)


@EVERY_RUN_THE_SAME
@given(either, st.sampled_from(["type", "challenge", "origin", "crossOrigin", "tokenBinding"]), JSON)
def test_an_answer_with_any_client_data(changed: dict[str, Any], name: str, value: Any) -> None:
    data = {**json.loads(decode(changed["response"]["clientDataJSON"])), name: value}
    changed["response"]["clientDataJSON"] = encode(json.dumps(data).encode("utf-8", "surrogatepass"))
    take(changed)


@EVERY_RUN_THE_SAME
@given(
    st.sampled_from(["none", "packed", "fido-u2f", "tpm", "android-key", "android-safetynet", "apple", "", "x"]),
    CBOR,
    st.dictionaries(st.sampled_from([1, 3, -1, -2, -3, 9]), CBOR, max_size=6),
)
def test_a_registration_with_any_attestation_and_any_key(form: str, statement: Any, key: dict[int, Any]) -> None:
    changed = registration()
    attestation = cbor2.loads(decode(changed["response"]["attestationObject"]))
    attestation.update(fmt=form, attStmt=statement)
    head = attestation["authData"][:55] + KEY.credential_id
    attestation["authData"] = head + cbor2.dumps(key or KEY.public_key())
    changed["response"]["attestationObject"] = encode(cbor2.dumps(attestation))
    take(changed)


@pytest.mark.parametrize(
    "data", [b"\x81" * 50_000, b"\x9b" + b"\x7f" * 8, b"\x5b" + b"\x7f" * 8, b"\xbb" + b"\x7f" * 8, b"\xc5" * 50_000]
)
def test_cbor_that_is_deep_or_claims_to_be_long_is_refused(data: bytes) -> None:
    changed = registration()
    changed["response"]["attestationObject"] = encode(data)
    with pytest.raises(InvalidSecondFactor):
        authenticators.new_credential(USER, changed, USE, timezone.now())


def test_a_challenge_is_valid_for_five_minutes() -> None:
    now = timezone.now().replace(microsecond=0)
    challenge = challenges.issue(USE, now)
    at = [now + timedelta(minutes=5) - timedelta(seconds=1), now + timedelta(minutes=5)]
    assert [challenges.is_valid(challenge, USE, each) for each in at] == [True, False]


def test_each_challenge_has_16_random_bytes_of_its_own() -> None:
    now = timezone.now()
    assert len({challenges.issue(USE, now)[:16] for _ in range(100)}) == 100
