"""What all endpoints outside the contracts share."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from authsvc.endpoints.error_responses import error_response

View = Callable[[HttpRequest], HttpResponse]


def read_only(view: View) -> View:
    """Allow GET and HEAD; any other method gets 405, without a CSRF check before it."""

    @csrf_exempt
    @wraps(view)
    def checked_view(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request)
        response = error_response(request, MethodNotAllowed(request.method or ""))
        response["Allow"] = "GET, HEAD"
        return response

    return checked_view
