"""Who may see the state of the service in detail: monitoring, by METRICS_TOKEN, and this machine itself."""

import hmac

from django.conf import settings
from django.http import HttpRequest

from accounts.security.client_address import is_loopback


def has_metrics_token(request: HttpRequest) -> bool:
    """Return whether the request has METRICS_TOKEN as its bearer token; never where none is set."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    given, expected = token.strip().encode(), settings.METRICS_TOKEN.encode()
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(given, expected)


def may_see_details(request: HttpRequest) -> bool:
    """Return whether the request has METRICS_TOKEN or comes from this machine, and not through a proxy on it."""
    if has_metrics_token(request):
        return True
    is_forwarded = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    return not is_forwarded and is_loopback(request.META.get("REMOTE_ADDR", ""))
