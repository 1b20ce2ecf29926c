"""Checks of answers against the service's OpenAPI description."""

import json
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

from authsvc.endpoints.schema import document

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

CONFIG: dict[str, Any] = {
    "seed": 1,
    "generation": {"max-examples": 2, "deterministic": True, "database": "none"},
    "checks": {
        # The description cannot say all that a name, an address or a password must be.
        "positive_data_acceptance": {"enabled": False},
        # A query may have more parameters than are described, and the hospital contract takes any text for a page.
        "negative_data_rejection": {"enabled": False},
    },
}
CONFORMANCE = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


DESCRIPTION: OpenApiSchema = schemathesis.openapi.from_dict(
    json.loads(document()), config=schemathesis.Config.from_dict(CONFIG)
)


def require_described(method: str, path: str, response: "Response") -> None:
    """Raise an AssertionError for an answer that the description of its operation does not have.

    An operation that is not described is not checked.
    """
    operation = DESCRIPTION.find_operation_by_path(method, path)
    if operation is None:
        return
    answer = schemathesis.Response(
        status_code=response.status_code,
        headers={name: [value] for name, value in response.items()},
        content=response.content,
        request=requests.Request(method, f"http://testserver{path}").prepare(),
        elapsed=0.0,
        verify=False,
    )
    names = {parameter.name: "x" for parameter in operation.path_parameters}
    operation.Case(path_parameters=names).validate_response(answer, checks=CONFORMANCE)
    _require_described_code(operation.definition.raw["responses"][str(response.status_code)], response)


def _require_described_code(description: dict[str, Any], response: "Response") -> None:
    """Raise an AssertionError for an error whose code none of the examples of its status has."""
    if "$ref" in description:
        description = DESCRIPTION.raw_schema["components"]["responses"][description["$ref"].rpartition("/")[2]]
    for content in description.get("content", {}).values():
        examples = [example["value"] for example in content.get("examples", {}).values()]
        codes = {example["code"] for example in examples if "code" in example}
        if codes and (code := json.loads(response.content)["code"]) not in codes:
            raise AssertionError(f"The code {code} is not described: {', '.join(map(str, sorted(codes)))}.")
