"""The charset of forms."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

from authsvc.endpoints.error_responses import error_response

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class FormCharsetMiddleware:
    """Refuses forms in any charset but UTF-8 with 400; Django would decode any codec that Python has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        if request.content_type in _FORMS and charset not in {"utf-8", "utf8"}:
            return error_response(request, SuspiciousOperation())
        return self.get_response(request)
