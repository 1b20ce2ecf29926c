"""Traces: a collector of OpenTelemetry on this machine gets a request's span, whose parent is the caller's."""

import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from subprocess import CompletedProcess, run
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from authsvc.tests.test_upgrade import url_of_the_tests

PACKAGES = importlib.util.find_spec("opentelemetry") is not None
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
# One request to the service as a server loads it; prints whether the packages were imported (redis imports the SDK).
PROGRAM = """
import sys
from wsgiref.util import setup_testing_defaults
from authsvc.configuration import env
env.ENV_FILE = None
from authsvc.wsgi import application
request = {"PATH_INFO": "/readyz", "QUERY_STRING": "token=hidden", "RAW_URI": "/readyz?token=hidden"}
request |= {"HTTP_HOST": "10.0.0.11:8000", "HTTP_TRACEPARENT": sys.argv[1]}
setup_testing_defaults(request)
answers = []
body = b"".join(application(request, lambda status, headers: answers.append(status)))
print(answers, "opentelemetry.instrumentation" in sys.modules)
"""


class TraceCollector(HTTPServer):
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TraceRequestHandler)
        self.bodies: list[bytes] = []


class TraceRequestHandler(BaseHTTPRequestHandler):
    server: TraceCollector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Leave the output of the tests alone."""


@pytest.fixture
def collector() -> Iterator[TraceCollector]:
    with TraceCollector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def serve(program: str = PROGRAM, **variables: str) -> CompletedProcess[str]:
    own = {"PATH": os.environ["PATH"], "DEBUG": "true", "DJANGO_SETTINGS_MODULE": "authsvc.settings"}
    return run(
        [sys.executable, "-c", program, f"00-{TRACE}-{PARENT}-01"],
        cwd=settings.BASE_DIR,
        env={**own, "DATABASE_URL": url_of_the_tests(), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.django_db
def test_a_request_is_a_span_of_the_callers_trace_without_its_query(collector: TraceCollector) -> None:
    if not PACKAGES:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("requirements-tracing.txt is not installed.")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    done = serve(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}")
    assert done.stdout == "['200 OK'] True\n", done.stderr
    exports = [ExportTraceServiceRequest.FromString(body) for body in collector.bodies]
    spans = [
        span
        for export in exports
        for resource in export.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    (request,) = [span for span in spans if span.parent_span_id.hex() == PARENT]
    assert (request.trace_id.hex(), request.name) == (TRACE, "GET /readyz")
    statements = {span.name for span in spans if span.parent_span_id == request.span_id}
    assert statements == ({"SELECT"} if connection.vendor == "postgresql" else set())
    assert b"hidden" not in b"".join(collector.bodies)


@pytest.mark.django_db
def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    done = serve()
    assert done.stdout == "['200 OK'] False\n", done.stderr


@pytest.mark.any_database
@pytest.mark.django_db
def test_an_endpoint_without_the_packages_stops_the_start() -> None:
    hidden = "import sys\nsys.modules['opentelemetry'] = None\n"
    done = serve(hidden + PROGRAM, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    assert done.returncode == 3
    missing = "(authsvc.E027) OTEL_EXPORTER_OTLP_ENDPOINT is set, but opentelemetry is not installed."
    assert done.stderr.startswith(missing), done.stderr
