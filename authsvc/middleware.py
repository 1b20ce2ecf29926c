"""What every answer has in common, whichever contract or page it comes from."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.errors import HTTPSRequired
from audit.origin import current_request_id
from authsvc.answers import error_answer

Handler = Callable[[HttpRequest], HttpResponse]

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PROBES = frozenset({"/healthz", "/readyz"})


class RequestID:
    """Names each request, by the caller's `X-Request-ID` if that is harmless, and says the name in the answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        reset = current_request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(reset)
        response["X-Request-ID"] = request_id
        return response


class RequireHTTPS:
    """Refuses plain HTTP with 426 in the contract's words: a redirected POST has sent its password already."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_HTTPS and not request.is_secure() and request.path not in _PROBES:
            return error_answer(request, HTTPSRequired())
        return self.get_response(request)
