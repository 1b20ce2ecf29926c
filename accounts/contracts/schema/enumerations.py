"""The names of the enumerations in the OpenAPI description, so that a generated client has one type for each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.conf import settings

from accounts.contracts.schema.headers import OpenAPI
from accounts.models import Channel, FactorType, Role
from audit.events import FailureReason, Status
from audit.origin import contract_choices
from audit.validity import Validity

Values = frozenset[Any]

_NAMES: Final[Mapping[Values, str]] = {
    frozenset(Role.values): "Role",
    frozenset(Channel.values): "Channel",
    frozenset(FactorType.values): "FactorType",
    frozenset({FactorType.TOTP.value, FactorType.WEBAUTHN.value}): "EnrolledFactorType",
    frozenset(code for code, _ in settings.LANGUAGES): "Language",
    frozenset(status.value for status in Status): "LoginStatus",
    # A successful login has no reason.
    frozenset({"", *(reason.value for reason in FailureReason)}): "FailureReason",
    frozenset({"", *FactorType.values}): "EnteredFactorType",
    frozenset(name for name, _ in contract_choices()): "ContractName",
    frozenset(validity.value for validity in Validity): "Validity",
}


def name_enumerations(result: OpenAPI) -> None:
    """Move every enumeration of a property or parameter into a component, and make a single value a constant.

    An enumeration that is not in the table above is named after the first component or operation that has it.
    """
    schemas: dict[str, OpenAPI] = result["components"]["schemas"]
    found: dict[Values, str] = {}
    for owner, name, schema in list(_places(result)):
        if len(schema["enum"]) == 1:
            schema["const"] = schema.pop("enum")[0]
            continue
        values = frozenset(schema["enum"])
        component = _NAMES.get(values) or found.setdefault(values, f"{owner}{_pascal_case(name)}")
        schemas.setdefault(component, {"type": schema["type"], "enum": schema["enum"]})
        _refer(schema, component)


def _places(result: OpenAPI) -> Iterator[tuple[str, str, OpenAPI]]:
    """Yield the owner, the name and the schema of every property and parameter with an enumeration."""
    for component, schema in sorted(result["components"]["schemas"].items()):
        for name, found in schema.get("properties", {}).items():
            yield from ((component, name, place) for place in _enumerations(found))
    for operations in result["paths"].values():
        for operation in operations.values():
            owner = _pascal_case(operation["operationId"])
            for parameter in operation.get("parameters", ()):
                yield from ((owner, parameter["name"], place) for place in _enumerations(parameter["schema"]))


def _enumerations(schema: OpenAPI) -> Iterable[OpenAPI]:
    return [place for place in (schema, schema.get("items", {})) if "enum" in place]


def _refer(schema: OpenAPI, component: str) -> None:
    """Make a schema a reference to the component; its description and default stay beside it."""
    kept: OpenAPI = {key: schema[key] for key in ("description", "default") if key in schema}
    reference: OpenAPI = {"$ref": f"#/components/schemas/{component}"}
    schema.clear()
    # Some generators ignore what stands beside a reference.
    schema.update({"allOf": [reference], **kept} if kept else reference)


def _pascal_case(name: str) -> str:
    return "".join(f"{part[:1].upper()}{part[1:]}" for part in name.replace("-", "_").split("_"))
