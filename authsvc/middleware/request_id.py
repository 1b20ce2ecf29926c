"""The id of each request, which the response, the log and the trail name."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from audit.origin import current_request_id, current_traceparent
from authsvc.observability.log_records import REQUEST_ID

# W3C Trace Context; of a later version only the fields of this one are taken.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIDMiddleware:
    """Makes the id of each request and returns it in the response's `X-Request-ID`.

    Behind trusted proxies, which set that header themselves, their id is taken if it is safe to log. Otherwise a client
    could give the requests of others its own id in the trail. `traceparent` comes from anybody, and is for the log
    alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "") if settings.TRUSTED_PROXIES else ""
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        request.META[REQUEST_ID] = request_id
        trace = _TRACEPARENT.match(request.META.get("HTTP_TRACEPARENT", ""))
        reset = current_request_id.set(request_id)
        reset_trace = current_traceparent.set(trace[0] if trace else "")
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(reset)
            current_traceparent.reset(reset_trace)
        response["X-Request-ID"] = request_id
        return response
