"""The largest body of a request."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from authsvc.endpoints.error_responses import error_response


class BodyLimitMiddleware:
    """Refuses larger bodies with 413 by their `Content-Length`, before anything reads them.

    `authsvc.middleware.request_guard` counts chunked bodies, which have no length, and sets theirs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_response(request, RequestDataTooBig())
        return self.get_response(request)


def _length(request: HttpRequest) -> int:
    """Return the length that the request states; Django reads nothing of a body whose length is not a number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
