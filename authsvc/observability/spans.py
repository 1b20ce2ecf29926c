"""The spans of requests and statements; `authsvc.observability.tracing` says when this is imported."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

from authsvc.observability.log_records import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# What a client has chosen, in the former and in the present names of the attributes.
_TARGETS: Final = ("http.target", "http.url", "url.path", "url.query", "url.full")


class _StatementTracer(trace.Tracer):  # type: ignore[misc]  # mypy runs without the packages.
    """Records of an exception its class alone: PostgreSQL's text has values of a row."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        return self._tracer.start_span(*args, **kwargs)

    @contextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[trace.Span]:
        silent = {"record_exception": False, "set_status_on_exception": False}
        with self._tracer.start_as_current_span(*args, **kwargs | silent) as span:
            try:
                yield span
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


class _StatementTracers(trace.TracerProvider):  # type: ignore[misc]  # As above.
    def __init__(self, provider: trace.TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return _StatementTracer(self._provider.get_tracer(*args, **kwargs))


def start() -> None:
    """Send spans to OTEL_EXPORTER_OTLP_ENDPOINT, and trace the statements of psycopg."""
    # It may come from .env.
    os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", settings.OTEL_EXPORTER_OTLP_ENDPOINT)
    name = Resource({SERVICE_NAME: settings.SERVICE_NAME})
    provider = TracerProvider(resource=Resource.create().merge(name).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    PsycopgInstrumentor().instrument(tracer_provider=_StatementTracers(provider))


def traced(application: "WSGIApplication") -> "WSGIApplication":
    wrapped: WSGIApplication = OpenTelemetryMiddleware(application, request_hook=_withhold_target)
    return wrapped


def _withhold_target(span: trace.Span, environ: dict[str, Any]) -> None:
    span.update_name(environ.get("REQUEST_METHOD", ""))
    for name in _TARGETS:
        if span.is_recording() and name in span.attributes:
            span.set_attribute(name, "")


class RouteMiddleware:
    """Names the span of a request by its method and route, as the log does, and adds the request id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        route = f"/{request.resolver_match.route}" if request.resolver_match else "-"
        span = trace.get_current_span()
        span.update_name(f"{request.method} {route}")
        span.set_attributes({"http.route": route, "authsvc.request_id": request.META.get(REQUEST_ID, "")})
        return response
