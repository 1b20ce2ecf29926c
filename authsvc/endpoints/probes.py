"""Liveness and readiness probes."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from authsvc.endpoints import readiness
from authsvc.endpoints.decorators import read_only
from authsvc.endpoints.monitoring_access import may_see_details

LIVENESS: Final = "/healthz"
# Paths that are asked at each process by its address, without TLS: no host and no scheme is required of them.
PROBES: Final = frozenset({LIVENESS, "/readyz", "/metrics"})


@read_only
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 while the process serves requests."""
    return JsonResponse({"status": "ok"})


@read_only
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 while this process can serve, else 503; the checks are for monitoring and this machine alone."""
    checked = readiness.check()
    body: dict[str, Any] = {"status": "ok" if checked.ready else "unavailable"}
    if may_see_details(request):
        body["checks"] = checked.as_dict()
    if checked.ready:
        return JsonResponse(body)
    return JsonResponse(body, status=503, headers={"Retry-After": "5"})
