"""Traces by OpenTelemetry's own packages, where OTEL_EXPORTER_OTLP_ENDPOINT is set; without it nothing is imported.

Their variables, such as OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER, apply as OpenTelemetry documents them. A span has
neither path nor query of its request, and no text of a database's error: these can hold what a client has sent.
"""

from typing import TYPE_CHECKING, Final

from django.conf import settings

from authsvc.configuration.errors import stop

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_MIDDLEWARE: Final = "authsvc.observability.spans.RouteMiddleware"


def is_wanted() -> bool:
    return bool(settings.OTEL_EXPORTER_OTLP_ENDPOINT)


def prepare() -> None:
    """Trace statements on PostgreSQL, and name spans by the routes of requests; before Django loads its middleware.

    Ends the process if the packages are not installed.
    """
    try:
        from authsvc.observability import spans
    except ImportError as error:
        stop([("E027", f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is not installed.")])
    spans.start()
    settings.MIDDLEWARE = [_MIDDLEWARE, *settings.MIDDLEWARE]


def traced(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application with a span for each request, whose parent is the caller's `traceparent`."""
    from authsvc.observability import spans

    return spans.traced(application)
