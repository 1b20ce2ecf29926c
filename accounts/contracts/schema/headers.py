"""The response headers that several operations have, and the names of tags."""

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

OpenAPI = dict[str, Any]

HEADERS: Final[Mapping[str, OpenAPI]] = {
    "X-Request-ID": {
        "description": "The id of this request in the service's log and audit trail. The service makes it, or a "
        "trusted proxy in front of it does; one that a client sends is ignored. Quote it in error reports.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
    },
    "Cache-Control": {
        "description": "No cache may store this response.",
        "required": True,
        "schema": {"type": "string", "const": "no-store"},
    },
    "WWW-Authenticate": {
        "description": "The authentication scheme that this operation requires; if the token of the request is not "
        "valid, `error` and `error_description` of RFC 6750 follow.",
        "required": True,
        "schema": {
            "type": "string",
            "pattern": r'^Bearer( error="invalid_token", error_description="[ !#-\[\]-~]+")?$',
        },
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Authorization": {
        "description": "A new access token of the same session, where there is one; the old one remains valid.",
        "required": False,
        "schema": {"type": "string", "pattern": "^Bearer [!-~]+$"},
    },
    "ETag": {
        "description": "The version of what the response has, for `If-Match` or `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Set-Cookie": {
        "description": "The cookie with the refresh token, or its deletion; only with `X-Refresh-Cookie`.",
        "required": False,
        "schema": {"type": "string"},
    },
    "Content-Language": {
        "description": "The language of the messages, which `Accept-Language` chooses.",
        "required": True,
        "schema": {"type": "string", "pattern": "^(en|zh-hans)$"},
    },
    "Accept-Encoding": {
        "description": "With a body that has a `Content-Encoding`: none is accepted.",
        "required": False,
        "schema": {"type": "string", "const": "identity"},
    },
    "Allow": {
        "description": "The methods that this path allows.",
        "required": True,
        "schema": {"type": "string"},
    },
}

# The headers of requests, beside those that every HTTP client sends.
REQUEST_HEADERS: Final[Mapping[str, OpenApiParameter]] = {
    "If-Match": OpenApiParameter(
        name="If-Match",
        location=OpenApiParameter.HEADER,
        description="The `ETag` of the account as it was read. If it has changed since, the response is 412.",
    ),
    "X-Refresh-Cookie": OpenApiParameter(
        name="X-Refresh-Cookie",
        location=OpenApiParameter.HEADER,
        pattern="^1$",
        description="For pages in a browser: the refresh token is in an HttpOnly cookie and not in a body. `Origin` "
        "must be the service's own or one of CORS_ALLOWED_ORIGINS.",
    ),
}


def header_refs(*names: str) -> OpenAPI:
    """Return the `headers` of a response that has these."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def tag_name(contract: str, area: str) -> str:
    """Return the tag of a contract's operations, or of those of one of its areas."""
    return f"{contract} {area}".rstrip()
