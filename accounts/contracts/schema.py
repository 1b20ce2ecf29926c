"""The OpenAPI description of a contract: from its views, its shapes and its error table.

A view says in `documented` what it takes, what it answers and which outcomes its verb has. What can happen to any
request follows from the view itself, and how each error looks from the contract's own table and envelope.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django_filters.utils import translate_validation
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError, UnsupportedMediaType
from rest_framework.pagination import PageNumberPagination

from accounts import errors
from accounts.contracts.base import Contract, ContractViewSet, WireError, error_headers, problems

Outcome = type[BaseException]
OpenAPI = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

_ANY_REQUEST: Final[tuple[Outcome, ...]] = (
    SuspiciousOperation,
    MethodNotAllowed,
    errors.HTTPSRequired,
    BaseException,
    OperationalError,
)
_WITH_BODY: Final[tuple[Outcome, ...]] = (ParseError, RequestDataTooBig, UnsupportedMediaType)
_WITH_TOKEN: Final[tuple[Outcome, ...]] = (
    errors.TokenMissing,
    errors.TokenMalformed,
    errors.TokenInvalid,
    errors.TokenExpired,
    errors.SessionEnded,
    errors.UserGone,
    errors.UserInactive,
)

# What can become of a password that somebody sends.
PROOF: Final[tuple[Outcome, ...]] = (
    errors.InvalidCredentials,
    errors.AccountDisabled,
    errors.ApprovalPending,
    errors.TooManyAttempts,
    errors.Overloaded,
)

HEADERS: Final[Mapping[str, OpenAPI]] = {
    "X-Request-ID": {
        "description": "The name of this request in the service's log and trail: the caller's own `X-Request-ID`, if "
        "that is 8 to 64 letters, digits, `.`, `_` and `-`, else a new one. Quote it when you report a fault.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
    },
    "Cache-Control": {
        "description": "Nobody on the way may keep this answer.",
        "required": True,
        "schema": {"type": "string", "const": "no-store"},
    },
    "WWW-Authenticate": {
        "description": "Which credentials are wanted here.",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    },
    "Retry-After": {
        "description": "So many seconds from now it is worth trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "Authorization": {
        "description": "A renewed access token of the same session, where there is one; the old one lives on.",
        "required": False,
        "schema": {"type": "string", "pattern": "^Bearer [!-~]+$"},
    },
    "Allow": {
        "description": "The methods that this address takes.",
        "required": True,
        "schema": {"type": "string"},
    },
}


# These two have comments for docstrings, because a docstring is described to callers, and passed on to subclasses.
class Shape(serializers.Serializer[Any]):
    # What is in a body, and an example of it.
    example: ClassVar[Mapping[str, Any]]


class Answer(Shape):
    # What is in an answer, for the description alone; nothing that it does not name is ever there.
    pass


class Page(Answer):
    # One page of a list; a subclass names the rows in `results`.
    count = serializers.IntegerField(help_text="How many rows there are on all pages together.")
    next = serializers.URLField(allow_null=True, help_text="The address of the next page.")
    previous = serializers.URLField(allow_null=True, help_text="The address of the page before.")

    @staticmethod
    def of(row: type[Answer]) -> dict[str, Any]:
        """Return the example of a page with one row."""
        return {"count": 1, "next": None, "previous": None, "results": [row.example]}


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a view takes, what it answers when all is well, and the outcomes of its verb that it tells otherwise.

    `headers` are those of `HEADERS` that its good answers have of their own.
    """

    takes: type[Shape] | None
    answers: type[Answer] | None
    status: int
    outcomes: tuple[Outcome, ...]
    headers: tuple[str, ...]


def documented(
    *,
    takes: type[Shape] | None = None,
    answers: type[Answer] | None = None,
    status: int = 200,
    outcomes: tuple[Outcome, ...] = (),
    headers: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Describe a view. The first line of its docstring is its summary, the rest is what a caller has to know."""

    def describe(view: View) -> View:
        vars(view)["documentation"] = Documentation(takes, answers, status, outcomes, headers)
        return view

    return describe


def sample(outcome: Outcome) -> BaseException:
    """Return an error of this kind, to see how a contract tells it."""
    if issubclass(outcome, errors.AlreadyTaken):
        return outcome("email")
    if issubclass(outcome, errors.RetryLater):
        return outcome(retry_after=timedelta(minutes=15))
    if issubclass(outcome, MethodNotAllowed | UnsupportedMediaType):
        return outcome("")
    if issubclass(outcome, ParseError):
        return outcome("The JSON is not an object.")
    return outcome()


def header_refs(*names: str) -> OpenAPI:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def error_answers(
    contract: Contract,
    shape: OpenAPI,
    told: Iterable[BaseException],
    shapes: Mapping[int, OpenAPI] = MappingProxyType({}),
) -> dict[str, OpenAPI]:
    """Return status -> answer for these errors, each worded by the contract itself.

    `shape` describes the body of every error of the contract, but for the statuses in `shapes`.
    """
    by_status: dict[int, list[_Told]] = {}
    for error in told:
        words = contract.wire_error(error)
        one = _Told(words, error, contract.envelope(words, error))
        alike = by_status.setdefault(words.status, [])
        # Two errors with one body are one to the contract's clients.
        if all(one.body != other.body for other in alike):
            alike.append(one)
    return {
        str(status): _error_answer(contract, shapes.get(status, shape), by_status[status])
        for status in sorted(by_status)
    }


@dataclass(frozen=True, slots=True)
class _Told:
    """An error, as a contract tells it."""

    words: WireError
    error: BaseException
    body: dict[str, Any]


def _error_answer(contract: Contract, shape: OpenAPI, told: list[_Told]) -> OpenAPI:
    names = {"X-Request-ID", *(name for one in told for name in error_headers(one.words, one.error))}
    if any(isinstance(one.error, MethodNotAllowed) for one in told):
        names.add("Allow")
    return {
        "description": "\n\n".join(dict.fromkeys(one.words.message for one in told)),
        "headers": header_refs(*sorted(names)),
        "content": {
            contract.media_type: {
                "schema": _with_these_codes(shape, told),
                "examples": {
                    type(one.error).__name__: {"summary": one.words.message, "value": one.body} for one in told
                },
            }
        },
    }


def _with_these_codes(shape: OpenAPI, told: list[_Told]) -> OpenAPI:
    """Return the shape with its code, where the contract's envelope has one, narrowed to those that can occur."""
    narrowed = {
        field: {"enum": list(dict.fromkeys(one.words.code for one in told))}
        for field in told[0].body
        if all(one.body.get(field) == one.words.code for one in told)
    }
    return {"allOf": [shape, {"properties": narrowed}]} if narrowed else shape


class ContractSchema(AutoSchema):
    """Describes one operation of a contract."""

    view: ContractViewSet  # type: ignore[override]  # Only contracts are described.

    @property
    def documentation(self) -> Documentation:
        action = self._action()
        try:
            return cast(Documentation, vars(action)["documentation"])
        except KeyError:
            raise LookupError(f"{action.__qualname__} is not described: it needs @documented(…).") from None

    def _action(self) -> Callable[..., Any]:
        return cast(Callable[..., Any], getattr(type(self.view), self.view.action))

    @property
    def needs_token(self) -> bool:
        # A verb of a public action may itself want the token, and then tells that it is missing.
        wanted = errors.TokenMissing in self.documentation.outcomes
        return wanted or self.view.action not in self.view.public | self.view.optional

    def get_operation_id(self) -> str:
        mount = f"/{settings.CONTRACT_MOUNTS[self.view.contract.name]}/"
        path = self.path.removeprefix(mount).replace("{", "").replace("}", "").replace("/", "_")
        return f"{self.view.contract.name}_{self.method.lower()}_{path}"

    def get_tags(self) -> list[str]:
        return [self.view.contract.name]

    def get_summary(self) -> str:
        return get_doc(self._action()).partition("\n\n")[0].replace("\n", " ").removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular asks so, REST framework does not.
        return get_doc(self._action()).partition("\n\n")[2]

    def get_auth(self) -> list[OpenAPI]:
        optional = self.view.action in self.view.optional
        if not (self.needs_token or optional):
            return []
        name = f"{self.view.contract.name}_token"
        scheme = ResolvedComponent(name=name, type=ResolvedComponent.SECURITY_SCHEMA, object=name)
        description = f"The access token that a login of the {self.view.contract.name} contract gave."
        scheme.schema = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}
        self.registry.register_on_missing(scheme)
        return [{}, {name: []}] if optional else [{name: []}]

    def get_request_serializer(self) -> type[Shape] | None:
        return self.documentation.takes

    def get_response_serializers(self) -> type[Answer] | None:
        return self.documentation.answers

    def _get_request_body(self, direction: Any = "request") -> OpenAPI | None:
        takes = self.documentation.takes
        if takes is None:
            return None
        body: OpenAPI = super()._get_request_body(direction)
        for content in body["content"].values():
            content["example"] = takes.example
        return body

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, OpenAPI]:
        shape = self.resolve_serializer(self.view.error_shape, "response").ref
        shapes = {
            status: self.resolve_serializer(own, "response").ref for status, own in self.view.error_shapes.items()
        }
        return {
            str(self.documentation.status): self._success(),
            **error_answers(self.view.contract, shape, self._errors(), shapes),
        }

    def _errors(self) -> list[BaseException]:
        outcomes = self.documentation.outcomes + self.view.outcomes
        if self.documentation.takes:
            outcomes += _WITH_BODY
        if self.needs_token:
            outcomes += _WITH_TOKEN
        if "{" in self.path:
            outcomes += (Http404,)
        if self._is_list_view() and issubclass(self.view.pagination_class, PageNumberPagination):
            outcomes += (NotFound,)
        told = [sample(outcome) for outcome in outcomes + _ANY_REQUEST]
        return [complaint, *told] if (complaint := self._complaint()) else told

    def _complaint(self) -> errors.InvalidInput | None:
        """Return what the view says of an empty body, or where that is none, of nonsense in a field or in the query."""
        if takes := self.documentation.takes:
            body = takes(data={})
            if body.is_valid():
                body = takes(data={next(iter(body.fields)): []})
                body.is_valid()
            return errors.InvalidInput(problems(body.errors))
        filterset = self.view.filterset_class
        if filterset and self._is_list_view():
            # Where filters take any text, they still take no NUL.
            queries = (filterset(dict.fromkeys(filterset.base_filters, nonsense)) for nonsense in ("?", "\0"))
            query = next(query for query in queries if query.errors)
            wrong = translate_validation(query.errors).detail  # type: ignore[attr-defined]  # It returns the exception.
            return errors.InvalidInput(problems(wrong))
        return None

    def _success(self) -> OpenAPI:
        documentation = self.documentation
        answer: OpenAPI = {
            "description": HTTPStatus(documentation.status).phrase,
            "headers": header_refs(*documentation.headers, "Cache-Control", "X-Request-ID"),
        }
        if documentation.answers:
            answer["content"] = {
                "application/json": {
                    "schema": self.resolve_serializer(documentation.answers, "response").ref,
                    "example": documentation.answers.example,
                }
            }
        return answer

    def _get_filter_parameters(self) -> list[OpenAPI]:
        parameters: list[OpenAPI] = super()._get_filter_parameters()
        filters = self.view.filterset_class.base_filters if self.view.filterset_class else {}
        for parameter in parameters:
            if longest := filters[parameter["name"]].extra.get("max_length"):
                parameter["schema"]["maxLength"] = longest
        return parameters

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Return a name that no other contract's shape has."""
        return f"{self.view.contract.name.title()}{super().get_serializer_name(serializer, direction)}"

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> OpenAPI:
        schema: OpenAPI = super()._map_serializer(serializer, direction, bypass_extensions)
        return {**schema, "additionalProperties": False} if isinstance(serializer, Answer) else schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> OpenAPI:
        schema: OpenAPI = super()._map_serializer_field(field, direction, bypass_extensions)
        # The mark is for a hook that shares enumerations, which contracts do not.
        schema.pop("x-spec-enum-id", None)
        more: OpenAPI = dict(getattr(field, "openapi", {}))
        if "type" in more:
            # A type says it all; the choice between anything and null would leave null to both.
            schema.pop("oneOf", None)
            more["type"] = [more["type"], "null"] if field.allow_null else more["type"]
        return {**schema, **more}


def bare_request(*_: Any) -> HttpRequest:
    """Return what stands for a request while views are described; ours look at none."""
    return HttpRequest()


def add_shared_parts(result: OpenAPI, **_: Any) -> OpenAPI:
    """Add what all operations share: the headers, and each mounted contract's own words about itself."""
    result["components"]["headers"] = dict(HEADERS)
    result["tags"] = [
        {"name": name, "description": import_module(f"accounts.contracts.{name}").__doc__}
        for name in settings.CONTRACT_MOUNTS
    ]
    return result
