"""The reason phrases of HTTP statuses.

They stand on the wire, and those of Python's `http` module change between versions (413 and 422 did in 3.13).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REASON_PHRASES: Final[Mapping[int, str]] = MappingProxyType(
    {
        200: "OK",
        201: "Created",
        204: "No Content",
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        409: "Conflict",
        412: "Precondition Failed",
        413: "Request Entity Too Large",
        415: "Unsupported Media Type",
        422: "Unprocessable Entity",
        426: "Upgrade Required",
        429: "Too Many Requests",
        500: "Internal Server Error",
        503: "Service Unavailable",
    }
)
