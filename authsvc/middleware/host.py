"""The Host header of a request."""

import logging

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware

from authsvc.endpoints.error_responses import error_response
from authsvc.endpoints.probes import PROBES

logger = logging.getLogger(__name__)


class HostMiddleware(CommonMiddleware):
    """Django's CommonMiddleware, which requires one of ALLOWED_HOSTS.

    Probes need none: an orchestrator asks each process by its address. Any stranger can send another host, so a refusal
    is one warning in the log; Django logs an error with a traceback.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:  # type: ignore[override]  # As any middleware.
        if request.path in PROBES:
            return None
        try:
            return super().process_request(request)
        except DisallowedHost as error:
            logger.warning("%s", error)
            return error_response(request, error)
