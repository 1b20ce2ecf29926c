"""The base classes of the contracts' views."""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db import Error
from django.db.models import QuerySet
from django.http import Http404
from django.urls import URLPattern, re_path
from django.utils import translation
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import database_errors
from accounts.contracts.authentication import BearerAuthentication, OptionalAuthentication
from accounts.contracts.base import Contract, ErrorClass, TrailingSlash, is_unavailable
from accounts.contracts.error_answers import error_answer, language_of
from accounts.contracts.negotiation import IgnoreAcceptNegotiation
from accounts.contracts.operations import Operation
from accounts.contracts.pagination import PageNumberPagination
from accounts.contracts.parsing import StrictJSONParser
from accounts.contracts.serializers import Envelope, RequestBody, ResponseBody, field_problems
from accounts.errors import InvalidInput, PermissionDenied
from accounts.models import Session, User
from accounts.services import listings
from audit.origin import Origin, request_origin

logger = logging.getLogger(__name__)

ANY_METHOD: Final = ("get", "post", "put", "patch", "delete")


class ContractViewSet(GenericViewSet[Any]):
    """The base of a contract's views: each takes the fields of its request, calls one service and returns an object."""

    contract: ClassVar[Contract]
    # The part of the contract under which the OpenAPI description lists the operations, where it has parts.
    area: ClassVar[str] = ""
    # The body of the contract's errors.
    error_response: ClassVar[type[ResponseBody]]
    # The body of the errors of a status, where it differs from `error_response`.
    error_responses: ClassVar[Mapping[int, type[ResponseBody]]] = {}
    # What surrounds the data of every success of the contract.
    envelope: ClassVar[type[Envelope] | None] = None
    # The errors that any operation of the class can have, beside those that it declares.
    common_errors: ClassVar[tuple[ErrorClass, ...]] = ()
    # How a request with a token is authenticated.
    authentication: ClassVar[type[BearerAuthentication]] = BearerAuthentication
    # The actions that need no token, and ignore one.
    public: ClassVar[frozenset[str]] = frozenset()
    # The actions that need no token, and use one.
    optional: ClassVar[frozenset[str]] = frozenset()
    renderer_classes = [JSONRenderer]
    parser_classes = [StrictJSONParser]
    content_negotiation_class = IgnoreAcceptNegotiation
    pagination_class: type[BasePagination] = PageNumberPagination
    filter_backends = [DjangoFilterBackend]
    # The query parameters of a list.
    filterset_class: ClassVar[type[FilterSet] | None] = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def get_authenticators(self) -> list[BaseAuthentication]:
        # REST framework calls this before it sets `action`. A wrong method is reported before a missing token.
        action = self.action_map.get((self.request.method or "").lower())
        if action is None or action in self.public:
            return []
        kind = OptionalAuthentication if action in self.optional else self.authentication
        return [kind(self.contract)]

    @property
    def session(self) -> Session:
        return self.request.auth  # type: ignore[return-value]

    @property
    def actor(self) -> User | None:
        """The user of an optional action, where the request has a valid token."""
        return self.request.auth.user if isinstance(self.request.auth, Session) else None

    @property
    def origin(self) -> Origin:
        return request_origin(self.request)

    @property
    def _accept_language(self) -> str:
        return str(self.request.META.get("HTTP_ACCEPT_LANGUAGE", ""))

    @property
    def language(self) -> str:
        """The language of messages to this client."""
        return language_of(self.contract, self._accept_language)

    def parse(self, body: type[RequestBody]) -> dict[str, Any]:
        """Return the validated fields of the request; unknown ones are ignored. Raises InvalidInput."""
        data = self.request.data
        try:
            return body.validated(data)
        except ValidationError:
            # The framework makes its messages in the active language, which a valid body need not set.
            with translation.override(self.language):
                raise InvalidInput(body.problems(data)) from None

    @classmethod
    def response_body(cls, operation: Operation) -> type[ResponseBody] | None:
        """Return the body of the operation's success, in the contract's envelope where it has one."""
        body, envelope = operation.response, cls.envelope
        if body is None or envelope is None or issubclass(body, envelope):
            return body
        return envelope.of(body, operation.message)

    def respond(self, operation: Operation, result: Any) -> Response:
        """Return the response of an operation. It has personal data or tokens, so no cache may store it."""
        body = self.response_body(operation)
        data = body.render(result) if body else None
        return Response(data, status=operation.status, headers={"Cache-Control": "no-store"})

    def paginate(self, rows: QuerySet[Any]) -> dict[str, Any]:
        """Return one page of a list, filtered and ordered by the query. Raises InvalidInput and NotFound."""
        try:
            filtered = self.filter_queryset(rows)
        except ValidationError:
            # As in `parse`; this raises it again.
            with translation.override(self.language):
                filtered = self.filter_queryset(rows)
        return dict(self.get_paginated_response(self.paginate_queryset(filtered)).data)

    def handle_exception(self, exc: Exception) -> Response:
        """Return the contract's response to an error; an unexpected one is logged, and its text stays here."""
        if isinstance(exc, ValidationError) and isinstance(exc.detail, dict):
            # The filters of a list raise it; the fields of a body raise InvalidInput.
            exc = InvalidInput(field_problems(exc.detail))
        if isinstance(exc, Error) and is_unavailable(exc):
            # One line without a traceback, because every request has one while the database is away.
            logger.error("%s %s failed: %s", self.request.method, self.request.path, database_errors.summary(exc))
        elif self.contract.wire_error(exc).status == 500:
            logger.error("%s %s failed", self.request.method, self.request.path, exc_info=exc)
        if isinstance(exc, Error):
            database_errors.COUNT.inc()
        answer = error_answer(self.contract, exc, self._accept_language)
        return Response(
            answer.body, status=answer.status, headers=answer.headers, content_type=self.contract.media_type
        )


class AdministratorViewSet(ContractViewSet):
    """The base of views for administrators, whose role and groups are read from the database, not from the token.

    `required_permissions` has the permission for each operation, which is the one that the admin site requires.
    """

    common_errors = (PermissionDenied,)
    required_permissions: ClassVar[Mapping[str, str]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A request with a method that the path does not have has no session here; it is refused later.
        if request.auth and not self.session.user.has_perm(self.required_permissions[self.action]):
            raise PermissionDenied

    def record_listing(self, *, rows: int, count: int) -> None:
        """Record that the caller lists people: so many rows of all that match the query."""
        listings.record_listing(
            actor=self.session.user,
            query=self.request.query_params.dict(),
            rows=rows,
            count=count,
            origin=self.origin,
        )


class NotFoundViewSet(ContractViewSet):
    """Answers 404 to every request."""

    schema = None
    public = frozenset({"not_found"})

    def not_found(self, request: Request) -> Response:
        raise TrailingSlash if request.path.endswith("/") else Http404


def not_found_route(contract: Contract) -> URLPattern:
    """Return the last route of a contract, for every path that no other route has."""
    viewset: type[NotFoundViewSet] = type("NotFoundViewSet", (NotFoundViewSet,), {"contract": contract})
    return re_path(r"", viewset.as_view(dict.fromkeys(ANY_METHOD, "not_found")))
