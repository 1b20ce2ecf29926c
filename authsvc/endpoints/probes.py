"""Liveness and readiness probes."""

from typing import Final

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.models import SigningKey
from authsvc.endpoints.decorators import read_only

# Paths that are asked at each process by its address, without TLS: no host and no scheme is required of them.
PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


@read_only
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 while the process serves requests."""
    return JsonResponse({"status": "ok"})


@read_only
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 while the database answers and is migrated, else 503."""
    try:
        SigningKey.objects.exists()
    except DatabaseError:
        return JsonResponse({"status": "database unavailable"}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ok"})
