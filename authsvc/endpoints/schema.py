"""The OpenAPI description of the whole service: every contract, and the endpoints outside the contracts."""

import json
from functools import cache
from typing import Any, Final

from django.core.exceptions import SuspiciousOperation
from django.utils import translation
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import MethodNotAllowed

from accounts.contracts.base import ErrorClass
from accounts.contracts.native.contract import CONTRACT
from accounts.contracts.parsing import LONGEST_BODY
from accounts.contracts.schema.errors import error_responses, sample
from accounts.contracts.schema.headers import OpenAPI, header_refs
from accounts.errors import HTTPSRequired, PermissionDenied
from authsvc.endpoints import metadata
from authsvc.endpoints.compressed import CompressedDocument

# There are no geometries here; to find that out, drf-spectacular would search the machine for GDAL for 0.3 s.
DjangoFilterExtension._has_gis = False  # type: ignore[attr-defined]

ABOUT: Final = f"""
One user store behind several *contracts*. Each contract has its own paths, error format and tokens; a token is valid
in its own contract only. To try operations here, log in, press *Authorize* and enter the access token.

- Send bodies as `application/json` in UTF-8, of at most {LONGEST_BODY:,} bytes. Unknown fields are ignored, values of
  a wrong type are rejected. `Accept` is ignored. A body over 2 MiB is answered with 413 at every path, unread, and a
  compressed one with 415.
- Paths have no trailing slash and never redirect. An unknown path returns 404 in its contract's format.
- Messages of the native contract are in English, or in simplified Chinese where `Accept-Language` prefers it
  (`zh-hans`); `Content-Language` says which. Codes are the same in every language.
- Every response has an `X-Request-ID`, the id of the request in the log and in the audit trail.
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
_TEXTS: Final = {"type": "array", "items": _TEXT}
_METADATA: Final = _closed(
    issuer=_TEXT,
    jwks_uri=_TEXT,
    response_types_supported=_TEXTS,
    grant_types_supported=_TEXTS,
    ui_locales_supported=_TEXTS,
)
_PASSED: Final = dict.fromkeys(("database", "writable", "migrations", "keys", "clock"), True)
_CHECKS: Final = {**_PASSED, "writable": False, "draining": False}
_READINESS: Final = {
    **_STATUS,
    "properties": {"status": _TEXT, "checks": {"$ref": "#/components/schemas/ServiceChecks"}},
}
_KEY: Final = _closed(
    kty={"const": "EC"},
    crv={"const": "P-256"},
    x=_TEXT,
    y=_TEXT,
    kid=_TEXT,
    use={"const": "sig"},
    alg={"const": "ES256"},
)
_SHAPES: Final[dict[str, OpenAPI]] = {
    "ServiceStatus": _STATUS,
    "ServiceReadiness": _READINESS,
    "ServiceChecks": _closed(**{name: {"type": "boolean"} for name in _CHECKS}),
    "ServiceKey": _KEY,
    "ServiceKeys": _closed(keys={"type": "array", "items": {"$ref": "#/components/schemas/ServiceKey"}}),
    "ServiceMetadata": _METADATA,
    "ServiceDescription": {"type": "object", "additionalProperties": True},
}
_KEY_EXAMPLE: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "kid": "1f8a…",
    "use": "sig",
    "alg": "ES256",
}


def _response(description: str, shape: str, example: Any, media_type: str = "application/json") -> OpenAPI:
    """Return the response whose body is this component."""
    schema = {"$ref": f"#/components/schemas/{shape}"}
    return {
        "description": description,
        "headers": header_refs("X-Request-ID"),
        "content": {media_type: {"schema": schema, "example": example}},
    }


def _get_operation(name: str, text: str, responses: dict[str, OpenAPI], errors: tuple[ErrorClass, ...]) -> OpenAPI:
    """Return the GET operation of an endpoint; its errors have the native contract's format.

    The first line of the text is the summary, the rest the description.
    """
    summary, _, description = text.partition("\n")
    problem = {"$ref": "#/components/schemas/NativeProblem"}
    return {
        "get": {
            "operationId": f"{TAG}_{name}",
            "description": description,
            "summary": summary,
            "tags": [TAG],
            "responses": {**responses, **error_responses(CONTRACT, problem, map(sample, errors))},
        }
    }


def add_service_endpoints(result: OpenAPI, **_: Any) -> OpenAPI:
    """Add the general description and the endpoints outside the contracts to drf-spectacular's result."""
    result["info"]["description"] = ABOUT.strip()
    available = _response("The process runs.", "ServiceStatus", {"status": "ok"})
    ready = _response("The process can serve.", "ServiceReadiness", {"status": "ok"})
    unavailable = _response(
        "The database is away or read-only, migrations are missing, the signing keys cannot be read, or the process is "
        "stopping. `checks` is for monitoring and for requests from the machine itself.",
        "ServiceReadiness",
        {"status": "unavailable", "checks": _CHECKS},
    )
    unavailable["headers"] |= header_refs("Retry-After")
    keys = _response(
        "The keys, newest first.",
        "ServiceKeys",
        {"keys": [_KEY_EXAMPLE]},
        "application/jwk-set+json",
    )
    issuer = _response("The metadata.", "ServiceMetadata", metadata.document())
    description = _response("The OpenAPI document.", "ServiceDescription", {"openapi": "3.1.0"})
    description["headers"] |= header_refs("ETag")
    result["components"]["schemas"] |= _SHAPES
    result["paths"] |= {
        "/.well-known/jwks.json": _get_operation(
            "keys",
            "Return the public keys that verify native access tokens\n"
            "A JSON Web Key Set (RFC 7517). A new key is listed before the first token is signed with it, and an old "
            "one until its last token has expired.",
            {"200": keys},
            _OVER_HTTPS,
        ),
        "/.well-known/oauth-authorization-server": _get_operation(
            "metadata",
            "Return the metadata of the issuer\nAuthorization server metadata (RFC 8414); libraries find the keys "
            "here.",
            {"200": issuer},
            _OVER_HTTPS,
        ),
        "/api/schema": _get_operation(
            "schema",
            "Return this description\nWith the `ETag` of a former response in `If-None-Match`, the response is 304 "
            "while the description is the same.",
            {"200": description, "304": {"description": "Not Modified", "headers": description["headers"]}},
            (*_OVER_HTTPS, PermissionDenied),
        ),
        "/healthz": _get_operation(
            "alive", "Liveness probe\nIt depends on nothing but the process.", {"200": available}, _OVER_HTTP
        ),
        "/readyz": _get_operation(
            "ready",
            "Readiness probe\nA load balancer sends requests to this process while it is 200.",
            {"200": ready, "503": unavailable},
            _OVER_HTTP,
        ),
    }
    result["tags"].append({"name": TAG, "description": "Keys, probes and this description."})
    return result


@cache
def document() -> bytes:
    """Return the description as JSON; a process generates it once."""
    # The language of the first request must not decide the language for all.
    with translation.override("en"):
        return json.dumps(SchemaGenerator().get_schema(public=True), ensure_ascii=False).encode()


@cache
def compressed_document() -> CompressedDocument:
    """Return the description and its compressed form; a process compresses it once."""
    return CompressedDocument.of(document(), "application/json")
