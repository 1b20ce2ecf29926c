"""The metrics in the text format of Prometheus, for a scraper that knows METRICS_TOKEN."""

import os
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from authsvc.endpoints.decorators import read_only
from authsvc.endpoints.error_responses import error_response
from authsvc.endpoints.monitoring_access import has_metrics_token
from authsvc.observability.database_metrics import DatabaseCollector
from authsvc.observability.request_reports import reports

# Where the processes of a node keep their counters; deploy/gunicorn.conf.py sets it.
_SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"


@read_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics of this node; without the token the path does not exist."""
    if not (settings.DEBUG or has_metrics_token(request)):
        return error_response(request, Http404())
    reports.flush()
    shared = CollectorRegistry()
    if _SHARED in os.environ:
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # The package has no type here.
    of_database = CollectorRegistry()
    of_database.register(DatabaseCollector())
    text = generate_latest(shared if _SHARED in os.environ else REGISTRY) + generate_latest(of_database)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
