"""The functions that drf-spectacular calls, named in its settings."""

from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from accounts.contracts.schema.enumerations import name_enumerations
from accounts.contracts.schema.headers import HEADERS, OpenAPI, tag_name
from accounts.contracts.schema.shared_responses import share_error_responses
from accounts.contracts.viewsets import ANY_METHOD

# The contract for new programs.
_FIRST: Final = "native"


def mock_request(*_: Any) -> HttpRequest:
    """Return the request of the views while they are described; none of them reads it."""
    return HttpRequest()


def add_shared_components(result: OpenAPI, **_: Any) -> OpenAPI:
    """Add the headers, and the tags of each mounted contract; list each path's methods in one order."""
    # REST framework keeps the methods of a route in a set, so their order differs from process to process.
    result["paths"] = {
        path: {method: operations[method] for method in ANY_METHOD if method in operations}
        for path, operations in result["paths"].items()
    }
    result["components"]["headers"] = dict(HEADERS)
    names = sorted(settings.CONTRACT_MOUNTS, key=lambda name: name != _FIRST)
    result["tags"] = [tag for name in names for tag in _tags(name)]
    return result


def _tags(contract: str) -> list[OpenAPI]:
    """Return the tags of a contract: one, or one for each of its areas."""
    module = import_module(f"accounts.contracts.{contract}")
    areas = getattr(module, "AREAS", {"": module.__doc__})
    return [{"name": tag_name(contract, area), "description": text} for area, text in areas.items()]


def complete(result: OpenAPI, **_: Any) -> OpenAPI:
    """Name what generators of clients make a type of, and say of each public operation that it needs no token."""
    ids: set[str] = set()
    for operations in result["paths"].values():
        for operation in operations.values():
            operation.setdefault("security", [])
            if operation["operationId"] in ids:
                # One operation at two paths that differ in a hyphen.
                operation["operationId"] += "_alias"
            ids.add(operation["operationId"])
    name_enumerations(result)
    share_error_responses(result)
    return result
