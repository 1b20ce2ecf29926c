"""What is nobody's contract: probes, the published keys, and errors outside every mount."""

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from accounts.contracts.native.contract import ACCESS
from accounts.models import SigningKey
from accounts.policies import KEYS_REREAD
from accounts.security.keys import ring
from authsvc.answers import error_answer


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process serves requests."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database answers and is migrated, else 503."""
    try:
        SigningKey.objects.exists()
    except DatabaseError:
        return JsonResponse({"status": "database unavailable"}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ok"})


@require_safe
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


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(request, Http404())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_answer(request, SuspiciousOperation())


def server_error(request: HttpRequest) -> HttpResponse:
    return error_answer(request, Exception())
