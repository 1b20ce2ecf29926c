"""Metrics of requests. Each covers the process that serves it, or all of a node's under deploy/gunicorn.conf.py."""

from functools import cache
from typing import Final

from prometheus_client import Counter, Histogram

_LABELS: Final = ("contract", "operation")
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)

REQUESTS: Final = Counter("authsvc_http_requests", "Requests that were answered.", (*_LABELS, "status"))
DURATION: Final = Histogram(
    "authsvc_http_request_duration_seconds",
    "Time from the first middleware to the response, without the transfer of a streamed body.",
    _LABELS,
    buckets=_BUCKETS,
)

# To look a child up takes longer than to count. All labels come from the code, so that there are few.
_requests = cache(REQUESTS.labels)
_duration = cache(DURATION.labels)


def observe(contract: str, operation: str, status: int, seconds: float) -> None:
    """Count an answered request."""
    _requests(contract, operation, status).inc()
    _duration(contract, operation).observe(seconds)
