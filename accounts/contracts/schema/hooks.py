"""The functions that drf-spectacular calls, named in its settings."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.contracts.schema.headers import HEADERS, OpenAPI


def mock_request(*_: Any) -> HttpRequest:
    """Return the request of the views while they are described; none of them reads it."""
    return HttpRequest()


def add_shared_components(result: OpenAPI, **_: Any) -> OpenAPI:
    """Add the headers, and a tag for each mounted contract."""
    result["components"]["headers"] = dict(HEADERS)
    result["tags"] = [
        {"name": name, "description": import_module(f"accounts.contracts.{name}").__doc__}
        for name in settings.CONTRACT_MOUNTS
    ]
    return result
