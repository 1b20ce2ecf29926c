"""The largest body of a request."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from authsvc.endpoints.error_responses import error_response


class BodyLimitMiddleware:
    """Refuses larger bodies with 413 by their `Content-Length`, before anything reads them.

    `authsvc.middleware.request_guard` counts chunked bodies, which have no length, and sets theirs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _refuse(request)
        return self.get_response(request)


def _refuse(request: HttpRequest) -> HttpResponse:
    """Return the contract's error or, for the forms of the admin site, a page in the language of the browser."""
    if not request.path.startswith(reverse("admin:index")):
        return error_response(request, RequestDataTooBig())
    # The middlewares of languages and sessions come later.
    with translation.override(translation.get_language_from_request(request)):
        page = render_to_string("admin/413.html", {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20})
    return HttpResponse(page, status=413, headers={"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"})


def _length(request: HttpRequest) -> int:
    """Return the length that the request states; Django reads nothing of a body whose length is not a number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
