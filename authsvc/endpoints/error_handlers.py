"""Django's error handlers, and the view of every path outside all mounts."""

import sys

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.contracts.base import TrailingSlash, is_unavailable
from accounts.errors import PermissionDenied
from authsvc.endpoints.error_pages import EXPIRED, error_page
from authsvc.endpoints.error_responses import error_response


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(request, TrailingSlash() if request.path.endswith("/") else Http404())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(request, SuspiciousOperation())


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(request, PermissionDenied())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the page of a form whose CSRF token is missing or of an earlier login."""
    return error_page(request, 403, EXPIRED)


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    return error_response(request, error if error and is_unavailable(error) else Exception())
