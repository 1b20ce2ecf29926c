"""No value of a request can break the response that repeats it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS
from accounts.tests.tools import Api
from authsvc.endpoints.schema import document

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

# JSON may contain it as an escape, and no encoding of Unicode has it.
LONE_SURROGATE = "\ud800"
VALUES: list[object] = [LONE_SURROGATE, [LONE_SURROGATE]]
DESCRIPTION = json.loads(document())


def resolve(schema: Any) -> Any:
    """Return a schema in place of a reference to it."""
    return DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def fields() -> Iterator[Any]:
    """Yield every field of every request body, and the path in the body's example."""
    for method, path, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for name in resolve(content["schema"])["properties"]:
                yield pytest.param(method, path, content["example"], name, id=f"{operation['operationId']}-{name}")


def query_parameters() -> Iterator[Any]:
    for method, path, operation in operations():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                name = parameter["name"]
                yield pytest.param(method, path, name, id=f"{operation['operationId']}-{name}")


def send(user: User, method: str, path: str, body: object = None) -> Any:
    """Send a request as this administrator, with a token of the path's contract."""
    client = max((client for client in CLIENTS if path.startswith(f"/{client.mount}/")), key=lambda one: one.mount)
    token = client.token(client.login(**({"userType": "ADMIN"} if client.name == "union" else {})).json())
    return Api().call(method, re.sub(r"{\w+}", str(user.pk), path), body, token)


@pytest.fixture(autouse=True)
def _alice_is_an_administrator(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="admin")


@pytest.mark.parametrize("value", VALUES, ids=ascii)
@pytest.mark.parametrize(("method", "path", "example", "field"), [*fields()])
def test_a_lone_surrogate_in_a_field_is_a_bad_request(
    alice: User, method: str, path: str, example: dict[str, Any], field: str, value: object
) -> None:
    response = send(alice, method, path, {**example, field: value})
    assert response.status_code in {400, 422}, response.content
    response.json()


@pytest.mark.parametrize("value", ["%ED%A0%80", "%00", "%FF", "%E2%80%AE"])
@pytest.mark.parametrize(("method", "path", "name"), [*query_parameters()])
def test_no_query_parameter_breaks_the_response(alice: User, method: str, path: str, name: str, value: str) -> None:
    response = send(alice, method, f"{path}?{name}={value}")
    assert response.status_code in {200, 400, 404}, response.content
    response.json()
