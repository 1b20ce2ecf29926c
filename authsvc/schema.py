"""The OpenAPI description of the whole service: every contract, and the few addresses that are no contract's."""

import json
from functools import cache
from typing import Any, Final

from django.core.exceptions import SuspiciousOperation
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import MethodNotAllowed

from accounts.contracts.base import ErrorClass
from accounts.contracts.native.contract import CONTRACT
from accounts.contracts.parsing import LONGEST_BODY
from accounts.contracts.schema.errors import error_responses, sample
from accounts.contracts.schema.headers import OpenAPI, header_refs
from accounts.errors import HTTPSRequired

ABOUT: Final = f"""
One store of users behind several *contracts*. Each has paths, words and tokens of its own; a token serves in its own
contract alone. Log in, press *Authorize*, give the access token, and every operation here can be tried.

- Send bodies as `application/json` in UTF-8, of at most {LONGEST_BODY:,} bytes. Unknown fields are ignored, values of
  a wrong type are refused. `Accept` does not matter.
- Paths have no trailing slash and never redirect. A path that does not exist answers 404 in its contract's words.
- Every answer has an `X-Request-ID`; send one to give a request a name of your own.
- Times are ISO 8601 in UTC, unless the contract says otherwise.
"""
TAG: Final = "service"
_TEXT: Final = {"type": "string"}
_OVER_HTTP: Final[tuple[ErrorClass, ...]] = (SuspiciousOperation, MethodNotAllowed, BaseException)
_OVER_HTTPS: Final[tuple[ErrorClass, ...]] = (*_OVER_HTTP, HTTPSRequired)


def _closed(**properties: OpenAPI) -> OpenAPI:
    """Return the shape of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_STATUS: Final = _closed(status=_TEXT)
_KEY: Final = _closed(
    kty={"const": "EC"},
    crv={"const": "P-256"},
    x=_TEXT,
    y=_TEXT,
    kid=_TEXT,
    use={"const": "sig"},
    alg={"const": "ES256"},
)
_KEY_EXAMPLE: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "kid": "1f8a…",
    "use": "sig",
    "alg": "ES256",
}


def _answer(description: str, shape: OpenAPI, example: Any, media_type: str = "application/json") -> OpenAPI:
    return {
        "description": description,
        "headers": header_refs("X-Request-ID"),
        "content": {media_type: {"schema": shape, "example": example}},
    }


def _read(name: str, summary: str, answers: dict[str, OpenAPI], outcomes: tuple[ErrorClass, ...]) -> OpenAPI:
    """Return the one operation of an address that is only read; its errors are in the native contract's words."""
    problem = {"$ref": "#/components/schemas/NativeProblem"}
    responses = {**answers, **error_responses(CONTRACT, problem, map(sample, outcomes))}
    return {"get": {"operationId": f"{TAG}_{name}", "summary": summary, "tags": [TAG], "responses": responses}}


def add_what_is_no_contracts(result: OpenAPI, **_: Any) -> OpenAPI:
    """Add what all contracts have in common, and the addresses outside every contract."""
    result["info"]["description"] = ABOUT.strip()
    alive = _answer("It does", _STATUS, {"status": "ok"})
    not_ready = _answer("It does not", _STATUS, {"status": "database unavailable"})
    not_ready["headers"] |= header_refs("Retry-After")
    keys = _answer(
        "The keys, the newest first",
        _closed(keys={"type": "array", "items": _KEY}),
        {"keys": [_KEY_EXAMPLE]},
        "application/jwk-set+json",
    )
    itself = _answer("This", {"type": "object"}, {"openapi": "3.1.0"})
    result["paths"] |= {
        "/.well-known/jwks.json": _read(
            "keys", "The public keys that verify native access tokens", {"200": keys}, _OVER_HTTPS
        ),
        "/api/schema": _read("schema", "This description", {"200": itself}, _OVER_HTTPS),
        "/healthz": _read("alive", "Does the process live?", {"200": alive}, _OVER_HTTP),
        "/readyz": _read("ready", "Does the database answer?", {"200": alive, "503": not_ready}, _OVER_HTTP),
    }
    result["tags"].append({"name": TAG, "description": "Keys, probes and this description."})
    return result


@cache
def document() -> bytes:
    """Return the description as JSON, the same for everybody, made once in a process."""
    # Whoever asks first must not decide on the language for all.
    with translation.override("en"):
        return json.dumps(SchemaGenerator().get_schema(public=True), ensure_ascii=False).encode()
