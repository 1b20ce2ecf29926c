"""No value of a request can break the response that repeats it."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import product
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


def bodies() -> Iterator[Any]:
    """Yield each operation with a body: its method and path, the body's example, and the names of its fields."""
    for method, path, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            names = list(resolve(content["schema"])["properties"])
            yield pytest.param(method, path, content["example"], names, id=operation["operationId"])


def queries() -> Iterator[Any]:
    """Yield each operation with a query: its method and path, and the names of its parameters."""
    for method, path, operation in operations():
        names = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
        if names:
            yield pytest.param(method, path, names, id=operation["operationId"])


def sender(user: User, method: str, path: str) -> Callable[..., Any]:
    """Return a function that sends a request as this administrator, with a token of the path's contract."""
    client = max((client for client in CLIENTS if path.startswith(f"/{client.mount}/")), key=lambda one: one.mount)
    token = client.token(client.login(**({"userType": "ADMIN"} if client.name == "union" else {})).json())
    url = re.sub(r"{\w+}", str(user.pk), path)
    return lambda query="", body=None: Api().call(method, url + query, body, token)


@pytest.fixture(autouse=True)
def _alice_is_an_administrator(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="admin")


@pytest.mark.parametrize(("method", "path", "example", "names"), [*bodies()])
def test_a_lone_surrogate_in_a_field_is_a_bad_request(
    alice: User, method: str, path: str, example: dict[str, Any], names: list[str]
) -> None:
    send = sender(alice, method, path)
    for name, value in product(names, VALUES):
        response = send(body={**example, name: value})
        assert response.status_code in {400, 422}, (name, value, response.content)
        response.json()


@pytest.mark.parametrize(("method", "path", "names"), [*queries()])
def test_no_query_parameter_breaks_the_response(alice: User, method: str, path: str, names: list[str]) -> None:
    send = sender(alice, method, path)
    for name, value in product(names, ["%ED%A0%80", "%00", "%FF", "%E2%80%AE"]):
        response = send(f"?{name}={value}")
        assert response.status_code in {200, 400, 404}, (name, value, response.content)
        response.json()
