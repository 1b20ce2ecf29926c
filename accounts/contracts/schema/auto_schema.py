"""The description of one operation, for drf-spectacular."""

import re
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.http import Http404
from django_filters.utils import translate_validation
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from rest_framework.exceptions import NotFound

from accounts import errors
from accounts.contracts.fields import SentCode
from accounts.contracts.http_status import REASON_PHRASES
from accounts.contracts.operations import Operation, operation_of
from accounts.contracts.pagination import PageNumberPagination, not_positive
from accounts.contracts.schema.errors import ANY_REQUEST_ERRORS, BODY_ERRORS, TOKEN_ERRORS, error_responses, sample
from accounts.contracts.schema.headers import REQUEST_HEADERS, OpenAPI, header_refs, tag_name
from accounts.contracts.serializers import RequestBody, ResponseBody, field_problems
from accounts.contracts.viewsets import ContractViewSet


class ContractSchema(AutoSchema):
    """Describes one operation of a contract."""

    view: ContractViewSet  # type: ignore[override]  # Only contracts are described.

    @property
    def operation(self) -> Operation:
        return operation_of(self._action())

    def _action(self) -> Callable[..., Any]:
        return cast(Callable[..., Any], getattr(type(self.view), self.view.action))

    @property
    def needs_token(self) -> bool:
        # The service of a public action may itself need the token, and then reports a missing one.
        reads_token = errors.TokenMissing in self.operation.errors
        return reads_token or self.view.action not in self.view.public | self.view.optional

    def get_operation_id(self) -> str:
        mount = f"/{settings.CONTRACT_MOUNTS[self.view.contract.name]}/"
        path = re.sub("[/-]", "_", self.path.removeprefix(mount).replace("{", "").replace("}", ""))
        return f"{self.view.contract.name}_{self.method.lower()}_{path}"

    def get_tags(self) -> list[str]:
        return [tag_name(self.view.contract.name, self.view.area)]

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
        description = f"The access token that a login of the {self.view.contract.name} contract returned."
        scheme.schema = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}
        self.registry.register_on_missing(scheme)
        return [{}, {name: []}] if optional else [{name: []}]

    def get_override_parameters(self) -> list[Any]:
        return [REQUEST_HEADERS[name] for name in self.operation.request_headers]

    def get_request_serializer(self) -> type[RequestBody] | None:
        return self.operation.request

    def get_response_serializers(self) -> type[ResponseBody] | None:
        return self.view.response_body(self.operation)

    def _get_request_body(self, direction: Any = "request") -> OpenAPI | None:
        request = self.operation.request
        if request is None:
            return None
        # Of a DELETE drf-spectacular describes no body, because HTTP gives it no general meaning.
        body: OpenAPI = super()._get_request_body(direction) or {
            "content": {"application/json": {"schema": self.resolve_serializer(request, direction).ref}},
            "required": True,
        }
        body["required"] = not request.is_optional
        for content in body["content"].values():
            content["example"] = request.example
        return body

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, OpenAPI]:
        body = self.resolve_serializer(self.view.error_response, "response").ref
        bodies = {
            status: self.resolve_serializer(other, "response").ref
            for status, other in self.view.error_responses.items()
        }
        return {
            str(self.operation.status): self._success(),
            **error_responses(self.view.contract, body, self._errors(), bodies),
        }

    def _errors(self) -> list[BaseException]:
        kinds = self.operation.errors + self.view.common_errors
        if self.operation.request:
            kinds += BODY_ERRORS
        if self.needs_token:
            kinds += TOKEN_ERRORS
        if "{" in self.path:
            kinds += (Http404,)
        if self._has_numbered_pages():
            kinds += (NotFound,)
        samples = [sample(kind) for kind in kinds + ANY_REQUEST_ERRORS]
        return [invalid, *samples] if (invalid := self._invalid_input()) else samples

    def _invalid_input(self) -> errors.InvalidInput | None:
        """Return the error of an empty body, or where that is valid, of invalid values in a field or in the query."""
        if request := self.operation.request:
            body = request(data={})
            if body.is_valid():
                body = request(data={next(iter(body.fields)): []})
                body.is_valid()
            return errors.InvalidInput(field_problems(body.errors))
        filterset = self.view.filterset_class
        if filterset and self._is_list_view():
            # Filters that accept any text still refuse a NUL.
            queries = (filterset(dict.fromkeys(filterset.base_filters, invalid)) for invalid in ("?", "\0"))
            query = next(query for query in queries if query.errors)
            found = translate_validation(query.errors).detail  # type: ignore[attr-defined]  # It returns the exception.
            return errors.InvalidInput(field_problems(found))
        return not_positive("page") if self._has_numbered_pages() else None

    def _has_numbered_pages(self) -> bool:
        return self._is_list_view() and issubclass(self.view.pagination_class, PageNumberPagination)

    def _success(self) -> OpenAPI:
        response: OpenAPI = {
            "description": REASON_PHRASES[self.operation.status],
            "headers": header_refs(*self.operation.headers, "Cache-Control", "X-Request-ID"),
        }
        if body := self.view.response_body(self.operation):
            response["content"] = {
                "application/json": {
                    "schema": self.resolve_serializer(body, "response").ref,
                    "example": body.example,
                }
            }
        return response

    def _get_filter_parameters(self) -> list[OpenAPI]:
        parameters: list[OpenAPI] = super()._get_filter_parameters()
        filters = self.view.filterset_class.base_filters if self.view.filterset_class else {}
        for parameter in parameters:
            if longest := filters[parameter["name"]].extra.get("max_length"):
                parameter["schema"]["maxLength"] = longest
        return parameters

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Return a name that no other contract's body has."""
        return f"{self.view.contract.name.title()}{super().get_serializer_name(serializer, direction)}"

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> OpenAPI:
        schema: OpenAPI = super()._map_serializer(serializer, direction, bypass_extensions)
        return {**schema, "additionalProperties": False} if isinstance(serializer, ResponseBody) else schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> OpenAPI:
        schema: OpenAPI = super()._map_serializer_field(field, direction, bypass_extensions)
        # drf-spectacular's hook that shares enumerations reads this key; contracts share none.
        schema.pop("x-spec-enum-id", None)
        extra: OpenAPI = dict(getattr(field, "openapi", {}))
        if "type" in extra:
            # `oneOf` any value and null would match null twice.
            schema.pop("oneOf", None)
            is_nullable = field.allow_null and not isinstance(field, SentCode)
            extra["type"] = [extra["type"], "null"] if is_nullable else extra["type"]
        return {**schema, **extra}
