"""The reason phrases of HTTP statuses.

They stand on the wire, and those of Python's `http` module change between versions (413 and 422 did in 3.13).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.utils.translation import gettext_noop as _

REASON_PHRASES: Final[Mapping[int, str]] = MappingProxyType(
    {
        200: "OK",
        201: "Created",
        204: "No Content",
        400: _("Bad Request"),
        401: _("Unauthorized"),
        403: _("Forbidden"),
        404: _("Not Found"),
        405: _("Method Not Allowed"),
        409: _("Conflict"),
        412: _("Precondition Failed"),
        413: _("Request Entity Too Large"),
        415: _("Unsupported Media Type"),
        422: _("Unprocessable Entity"),
        426: _("Upgrade Required"),
        429: _("Too Many Requests"),
        500: _("Internal Server Error"),
        503: _("Service Unavailable"),
    }
)
