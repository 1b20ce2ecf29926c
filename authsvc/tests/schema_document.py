"""The service's OpenAPI description as its tests read it."""

import json
from collections.abc import Iterator
from typing import Any

from authsvc.endpoints.schema import document

SCHEMA: dict[str, Any] = json.loads(document())
PATHS = SCHEMA["paths"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in PATHS.items():
        for method, operation in methods.items():
            yield path, method, operation


def media(path: str, method: str, status: str | None = None) -> dict[str, Any]:
    """Return what a request body, or the answer of a status, is described as."""
    operation = PATHS[f"/api/auth/{path}"][method]
    part = answer(operation, status) if status else operation["requestBody"]
    (content,) = part["content"].values()
    return dict(content)


def answer(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """Return the description of an answer, which several operations may share."""
    found = operation["responses"][status]
    return dict(SCHEMA["components"]["responses"][found["$ref"].rpartition("/")[2]] if "$ref" in found else found)
