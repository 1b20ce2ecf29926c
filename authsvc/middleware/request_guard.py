"""A WSGI guard that normalizes requests before Django reads them: the body's length, the content type, the cookies."""

import codecs
import re
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

# The name of a cookie (RFC 6265, section 4.1.1).
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class RequestGuard:
    """A WSGI application that wraps another.

    Django ignores a body without a `Content-Length`, so that a chunked request would change nothing and return 200; and
    it fails on some content types before any of its error handlers can respond. It strips every blank of Unicode from
    the names of cookies, so that another host of the domain could set one that counts as a `__Host-` cookie.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if not _is_readable(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ""
        if "HTTP_COOKIE" in environ:
            environ["HTTP_COOKIE"] = _named_by_tokens(environ["HTTP_COOKIE"])
        if environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" in environ:
            _measure_body(environ)
        return self.application(environ, start_response)


def _is_readable(content_type: str) -> bool:
    """Return whether Django can read the content type; `charset*=` (RFC 2231) may name a codec that Python rejects."""
    try:
        codecs.lookup(parse_header_parameters(content_type)[1].get("charset", "utf-8"))
    except LookupError:
        return True
    except ValueError:
        return False
    return True


def _named_by_tokens(cookies: str) -> str:
    """Return the header `Cookie` without the cookies whose names are no tokens."""
    pairs = (pair.strip(" \t") for pair in cookies.split(";"))
    return "; ".join(pair for pair in pairs if _TOKEN.fullmatch(pair.partition("=")[0]))


def _measure_body(environ: dict[str, Any]) -> None:
    """Read a chunked body, at most one byte more than Django accepts, and set its length.

    The length of an incomplete body is set one byte too large, so that Django rejects it as truncated.
    """
    body, missing = b"", 0
    try:
        body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    except Exception:  # Each server raises its own exceptions for malformed chunks.
        missing = 1
    environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body) + missing)}
