"""HTTPS, which every request but a probe needs where REQUIRE_HTTPS is set."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.errors import HTTPSRequired
from authsvc.endpoints.error_responses import error_response
from authsvc.endpoints.probes import PROBES


class RequireHTTPSMiddleware:
    """Refuses plain HTTP with 426; a redirect would come after a POST has sent its password in clear."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_HTTPS and not request.is_secure() and request.path not in PROBES:
            return error_response(request, HTTPSRequired())
        return self.get_response(request)
