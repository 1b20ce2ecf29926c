"""Answered requests as the access log and the metrics have them: contract, operation, status, duration and user."""

import logging
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import ResolverMatch

from audit.origin import (
    ADMIN_SITE,
    PASSWORD_PAGES,
    current_login,
    current_request_id,
    current_traceparent,
    request_origin,
)
from authsvc.observability import http_metrics

logger: Final = logging.getLogger("authsvc.access")

# The operation of a request that no view received, and the contract of a path that belongs to none. A stranger chooses
# neither, so that the number of time series is bounded.
NONE: Final = "none"
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """What is kept of a request: when it was answered, in seconds since 1970, and how long that took, in seconds."""

    at: float
    seconds: float
    method: str | None
    match: ResolverMatch | None
    contract: str
    status: int
    user_id: int | None
    request_id: str
    traceparent: str

    @classmethod
    def of(cls, request: HttpRequest, status: int, at: float, seconds: float) -> "AnsweredRequest":
        return cls(
            at,
            seconds,
            request.method,
            request.resolver_match,
            request_origin(request).contract,
            status,
            _user_id(request) or current_login.get(),
            current_request_id.get(),
            current_traceparent.get(),
        )

    def report(self) -> None:
        """Log and count it."""
        contract, operation = self.contract, NONE
        if self.match:
            view = self.match.url_name or getattr(self.match.func, "__name__", NONE)
            contract, operation = _operation(contract, self.match.route, view)
        http_metrics.observe(contract, operation, self.status, self.seconds)
        if logger.isEnabledFor(logging.INFO):
            logger.handle(self._record(contract, operation))

    def _record(self, contract: str, operation: str) -> logging.LogRecord:
        # The route stands for the path: a path may hold anything that a client has put there, a token for instance.
        route = f"/{self.match.route}" if self.match else "-"
        values = (self.method, route, self.status)
        record = logging.LogRecord(logger.name, logging.INFO, "", 0, "%s %s %s", values, None)
        record.created, record.msecs = self.at, int(self.at % 1 * 1000)
        record.request_id, record.traceparent = self.request_id, self.traceparent
        record.fields = {
            "contract": contract,
            "operation": operation,
            "status": self.status,
            "duration": round(self.seconds, 6),
            "user_id": self.user_id,
        }
        return record


@cache
def _operation(contract: str, route: str, view: str) -> tuple[str, str]:
    """Return the names of the contract and of the operation, such as `native` and `users/{user_id}`."""
    if contract in {ADMIN_SITE, PASSWORD_PAGES}:
        return contract, view
    mount = f"{settings.CONTRACT_MOUNTS[contract]}/"
    if not route.startswith(mount):
        return NONE, view
    return contract, _PARAMETER.sub(r"{\1}", route.removeprefix(mount)) or NONE


def _user_id(request: HttpRequest) -> int | None:
    """Return the id of the user whose token or cookie was read; it reads neither itself."""
    attributes = vars(request)
    # Django's middleware for pages sets `user` to an object that would query the database here.
    user: Any = attributes.get("_cached_user") if "session" in attributes else attributes.get("user")
    return getattr(user, "pk", None)
