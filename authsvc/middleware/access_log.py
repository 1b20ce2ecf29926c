"""The access log: one line for each request, and the metrics of requests."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from django.db import Error
from django.http import HttpRequest, HttpResponse

from accounts import database_errors
from audit.origin import current_login
from authsvc.observability.http_metrics import observe
from authsvc.observability.requests import operation_of, user_id_of

logger: Final = logging.getLogger("authsvc.access")


class AccessLogMiddleware:
    """Logs and counts each request when its response is ready; `RequestIDMiddleware` comes before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        current_login.set(None)
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        contract, operation = operation_of(request)
        observe(contract, operation, response.status_code, seconds)
        if logger.isEnabledFor(logging.INFO):
            logger.handle(_record(request, contract, operation, response.status_code, seconds))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Count an error of the database in a page; the contracts' views count their own."""
        if isinstance(exception, Error):
            database_errors.COUNT.inc()


def _record(request: HttpRequest, contract: str, operation: str, status: int, seconds: float) -> logging.LogRecord:
    """Return the record of a request; made here, because the logger would look for the calling line each time.

    The route stands for the path: a path may hold anything that a client has put there, a token for instance.
    """
    route = f"/{request.resolver_match.route}" if request.resolver_match else "-"
    record = logging.LogRecord(logger.name, logging.INFO, "", 0, "%s %s %s", (request.method, route, status), None)
    fields: dict[str, Any] = {
        "contract": contract,
        "operation": operation,
        "status": status,
        "duration": round(seconds, 6),
        "user_id": user_id_of(request) or current_login.get(),
    }
    record.fields = fields
    return record
