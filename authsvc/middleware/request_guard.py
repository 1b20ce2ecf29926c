"""What a request is made to be before Django reads it: a body of known length, and a content type that can be read."""

import codecs
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class RequestGuard:
    """A WSGI application in front of another.

    Django reads no body without a `Content-Length`, so that a change which came in chunks would change nothing and be
    answered 200; and it fails on some content types before any of its handlers could answer.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if not _is_readable(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ""
        if environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" in environ:
            _measure_body(environ)
        return self.application(environ, start_response)


def _is_readable(content_type: str) -> bool:
    """Return whether Django can read the content type; RFC 2231's `charset*=` may hold what Python's codecs refuse."""
    try:
        codecs.lookup(parse_header_parameters(content_type)[1].get("charset", "utf-8"))
    except LookupError:
        return True
    except ValueError:
        return False
    return True


def _measure_body(environ: dict[str, Any]) -> None:
    """Read a body that came in chunks, one byte more than Django takes at most, and say how long it is.

    One that breaks off is said to be longer than it is, like any other that its sender did not finish.
    """
    body, missing = b"", 0
    try:
        body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    except Exception:  # Each server has exceptions of its own for chunks that are none.
        missing = 1
    environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body) + missing)}
