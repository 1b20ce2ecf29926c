"""The bodies of requests and responses.

A body is declared once, with REST framework's fields. A request body parses and validates as any serializer does. A
response body renders by a plan that is made once from its fields, because to instantiate serializers for each request
costs more than the rest of a short request.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from operator import attrgetter
from types import new_class
from typing import Any, ClassVar, NamedTuple, cast

from django.utils.text import format_lazy
from rest_framework import serializers
from rest_framework.utils.formatting import lazy_format

from accounts.contracts.fields import Constant, ConvertedField, Message
from accounts.errors import Problem
from audit.origin import escape_control_chars

Conversion = Callable[[Any], Any]


def field_problems(errors: Mapping[str, Any]) -> dict[str, list[Problem]]:
    """Return REST framework's errors of fields as those of the core.

    A message may repeat the value, which JSON can give characters that no encoding has (a lone surrogate).
    """
    return {
        name: [Problem(str(item.code), escape_control_chars(str(item))) for item in items]
        for name, items in errors.items()
    }


# These classes have comments in place of docstrings, because subclasses inherit a docstring as their description.
class RequestBody(serializers.Serializer[Any]):
    # The fields of a request, an example of it, and whether there are requests without it.
    example: ClassVar[Mapping[str, Any]]
    is_optional: ClassVar[bool] = False

    @classmethod
    def validated(cls, data: Any) -> dict[str, Any]:
        """Return the validated fields. Raises ValidationError, whose detail has the problems of each field."""
        return dict(_instance(cls).run_validation(data))

    @classmethod
    def problems(cls, data: Any) -> dict[str, list[Problem]]:
        """Return the problems of each field, with messages in the active language."""
        try:
            cls.validated(data)
        except serializers.ValidationError as error:
            return field_problems(error.detail)  # type: ignore[arg-type]  # Of a body it is a mapping.
        return {}


@cache
def _instance(body: type[RequestBody]) -> RequestBody:
    """Return an instance that validates any request: to copy the fields for each takes longer than to validate them."""
    instance = body()
    validators: list[Any] = [validator for field in instance.fields.values() for validator in field.validators]
    for validator in validators:
        message: Any = getattr(validator, "message", None)
        if type(message) is lazy_format:
            # REST framework's own class keeps the language in which it is read first.
            validator.message = format_lazy(cast(str, message.format_string), **message.kwargs)
    return instance


class _FieldPlan(NamedTuple):
    name: str
    source: str
    convert: Conversion | None
    required: bool


class _Plan:
    """How a response body is rendered: the constant fields, then the others with their sources and conversions."""

    def __init__(self, fields: Mapping[str, serializers.Field[Any, Any, Any, Any]]) -> None:
        # Every key is here, so that the body has the order of the declaration.
        self.template = {
            name: field.value if isinstance(field, Constant | Message) else None for name, field in fields.items()
        }
        self.fields = [
            _FieldPlan(name, field.source or name, _conversion(field), bool(field.required))
            for name, field in fields.items()
            if not isinstance(field, Constant | Message)
        ]
        self._names = [field.name for field in self.fields]
        self._attributes = _attributes([field.source for field in self.fields])
        self._conversions = [(field.name, field.convert) for field in self.fields if field.convert]

    def from_attributes(self, instance: Any) -> dict[str, Any]:
        """Return the body with the attributes of an object."""
        body = self.template.copy()
        body.update(zip(self._names, self._attributes(instance), strict=True))
        for name, convert in self._conversions:
            body[name] = convert(body[name])
        return body

    def from_mapping(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body with the values of a mapping; a field that is not required may be absent."""
        body = self.template.copy()
        for name, source, convert, required in self.fields:
            if source in values or required:
                body[name] = convert(values[source]) if convert else values[source]
            else:
                del body[name]
        return body


def _attributes(sources: list[str]) -> Callable[[Any], Iterable[Any]]:
    """Return a function that returns these attributes of an object, in this order."""
    if len(sources) > 1:
        return attrgetter(*sources)
    return lambda instance: [getattr(instance, source) for source in sources]


def _conversion(field: Any) -> Conversion | None:
    """Return what a field makes of its value, or None where the renderer encodes the value as it is."""
    if isinstance(field, serializers.ListSerializer):
        return partial(_render_all, _row(field).render)
    if isinstance(field, ResponseBody):
        return field.render
    return field.convert if isinstance(field, ConvertedField) else None


def _row(field: Any) -> "type[ResponseBody]":
    """Return the body of the rows of a field with `many=True`."""
    return type(field.child)


def _render_all(render: Conversion, rows: Iterable[Any]) -> list[Any]:
    return [render(row) for row in rows]


def _examples(fields: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example of each field: the given one, or the one that follows from the field's declaration."""
    examples = {}
    for name, field in fields.items():
        if name in given:
            examples[name] = given[name]
        elif isinstance(field, Constant | Message):
            examples[name] = field.value
        elif isinstance(field, serializers.ListSerializer):
            examples[name] = [_row(field).example]
        elif isinstance(field, ResponseBody):
            examples[name] = field.example
        elif field.required and (field.allow_null or getattr(field, "allow_blank", False)):
            examples[name] = None if field.allow_null else ""
    return examples


class ResponseBody(serializers.Serializer[Any]):
    # The fields of a response, and nothing else.
    #
    # A subclass gives the examples of its fields in `example`. Those of constant fields and of nested bodies are
    # derived, an empty value is the default where a field may have none, and a subclass inherits its parent's.
    example: ClassVar[Mapping[str, Any]] = {}
    _given: ClassVar[Mapping[str, Any]] = {}
    _plan: ClassVar[_Plan]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._given = {**cls._given, **vars(cls).get("example", {})}
        cls.example = _examples(cls._declared_fields, cls._given)
        cls._plan = _Plan(cls._declared_fields)

    @classmethod
    def render(cls, instance: Any) -> dict[str, Any]:
        """Return the body of a model instance, of another object with attributes, or of a mapping."""
        return cls._plan.from_mapping(instance) if isinstance(instance, dict) else cls._plan.from_attributes(instance)


class Envelope(ResponseBody):
    # What surrounds the data of every success of a contract. A subclass may declare a success without `data`.

    @classmethod
    def render(cls, instance: Any) -> dict[str, Any]:
        """Return the body with this data."""
        return super().render({"data": instance})

    @classmethod
    @cache
    def of(cls, data: type[ResponseBody], message: str = "") -> "type[Envelope]":
        """Return the body that has this data in the envelope, and the message where the envelope has one.

        The body of `LoginData` is `LoginAnswer` in the OpenAPI description.
        """
        name = f"{data.__name__.removesuffix('Data')}Answer"
        fields: dict[str, Any] = {"message": Message(message)} if message else {}
        return new_class(name, (cls,), exec_body=lambda attributes: attributes.update(fields, data=data()))


class Page(ResponseBody):
    # One page of a list; a subclass declares the rows in `results`.
    count = serializers.IntegerField(help_text="Number of rows on all pages.")
    next = serializers.URLField(allow_null=True, help_text="URL of the next page.")
    previous = serializers.URLField(allow_null=True, help_text="URL of the previous page.")

    example = {"count": 1}
