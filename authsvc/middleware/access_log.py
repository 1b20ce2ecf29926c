"""The access log: one line for each request, and the metrics of requests."""

import time
from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest, HttpResponse

from accounts import database_errors
from audit.origin import current_login
from authsvc.observability.answered_requests import AnsweredRequest
from authsvc.observability.request_reports import reports


class AccessLogMiddleware:
    """Reports each request when its response is ready; `RequestIDMiddleware` comes before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        current_login.set(None)
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        reports.add(AnsweredRequest.of(request, response.status_code, time.time(), seconds))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Count an error of the database in a page; the contracts' views count their own."""
        if isinstance(exception, Error):
            database_errors.COUNT.inc()
