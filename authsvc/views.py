"""What is nobody's contract: probes, the published keys, the description of it all, and errors outside every mount."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from accounts.contracts.native.tokens import ACCESS
from accounts.models import SigningKey
from accounts.policies import KEYS_REREAD
from accounts.security.keys import ring
from authsvc.answers import error_answer
from authsvc.schema import document

View = Callable[[HttpRequest], HttpResponse]


def read_only(view: View) -> View:
    """Let GET and HEAD through; any other method is told so in words, not asked for a CSRF token first."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request)
        refusal = error_answer(request, MethodNotAllowed(request.method or ""))
        refusal["Allow"] = "GET, HEAD"
        return refusal

    return answer


@read_only
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process serves requests."""
    return JsonResponse({"status": "ok"})


@read_only
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database answers and is migrated, else 503."""
    try:
        SigningKey.objects.exists()
    except DatabaseError:
        return JsonResponse({"status": "database unavailable"}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ok"})


@read_only
def jwks(request: HttpRequest) -> HttpResponse:
    """Publish the keys that verify native access tokens (RFC 7517)."""
    return JsonResponse(
        {"keys": [key.public_jwk() for key in ring.all(ACCESS)]},
        content_type="application/jwk-set+json",
        headers={
            "Cache-Control": f"public, max-age={int(KEYS_REREAD.total_seconds())}",
            "Access-Control-Allow-Origin": "*",
        },
    )


@read_only
def schema(request: HttpRequest) -> HttpResponse:
    """Publish the description of every contract (OpenAPI 3.1), as JSON whatever `Accept` says."""
    return HttpResponse(document(), content_type="application/json")


@read_only
def docs(request: HttpRequest) -> HttpResponse:
    """Show the same description as a page that can call the service."""
    return render(request, "docs.html")


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(request, Http404())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(request, SuspiciousOperation())


def server_error(request: HttpRequest) -> HttpResponse:
    return error_answer(request, Exception())
