"""The functions that drf-spectacular calls, named in its settings."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.contracts.schema.headers import HEADERS, OpenAPI
from accounts.contracts.viewsets import ANY_METHOD


def mock_request(*_: Any) -> HttpRequest:
    """Return the request of the views while they are described; none of them reads it."""
    return HttpRequest()


def add_shared_components(result: OpenAPI, **_: Any) -> OpenAPI:
    """Add the headers, and a tag for each mounted contract; list each path's methods in one order."""
    # REST framework keeps the methods of a route in a set, so their order differs from process to process.
    result["paths"] = {
        path: {method: operations[method] for method in ANY_METHOD if method in operations}
        for path, operations in result["paths"].items()
    }
    result["components"]["headers"] = dict(HEADERS)
    result["tags"] = [
        {"name": name, "description": import_module(f"accounts.contracts.{name}").__doc__}
        for name in settings.CONTRACT_MOUNTS
    ]
    return result
