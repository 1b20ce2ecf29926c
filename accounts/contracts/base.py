"""What all contracts share: a request comes in, one verb is called, and whatever happens is told in their words."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import translation
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from accounts.contracts.parsing import StrictJSONParser
from accounts.errors import (
    InvalidInput,
    PermissionDenied,
    Problem,
    RetryLater,
    SessionEnded,
    TokenExpired,
    TokenInvalid,
    TokenMalformed,
    TokenMissing,
    UserGone,
)
from accounts.models import Session, User
from audit.origin import Origin, request_origin

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class WireError:
    """How a contract tells of an error: the HTTP status, its own code, and a sentence."""

    status: int
    code: str | int
    message: str


ErrorTable = Mapping[type[BaseException], WireError]


@dataclass(frozen=True, slots=True)
class Contract:
    """One document's wire format.

    `errors` has every IdentityError, and what can go wrong before a verb is reached. `envelope` makes the body of an
    error from its words; `session_of` finds the session that a bearer token names.
    """

    name: str
    errors: ErrorTable
    envelope: Callable[[WireError, BaseException], dict[str, Any]]
    session_of: Callable[[str], Session]
    media_type: str = "application/json"
    # The language of what the framework says about fields; a contract speaks one, whatever the browser prefers.
    language: str = "en"

    def wire_error(self, error: BaseException) -> WireError:
        """Return the words for the most particular kind of this error that the table has."""
        return next(self.errors[kind] for kind in type(error).__mro__ if kind in self.errors)


def error_headers(words: WireError, error: BaseException) -> dict[str, str]:
    """Return the headers that HTTP asks for with this error (RFC 9110, RFC 6750)."""
    headers = {"Cache-Control": "no-store"}
    if words.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after.total_seconds())))
    elif words.status == 503:
        headers["Retry-After"] = str(_RETRY_SECONDS)
    return headers


class IgnoreAcceptNegotiation(BaseContentNegotiation):
    """Takes what the contract speaks, whatever `Accept` says: a legacy client always gets JSON."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            # What is compressed is not unpacked here: a small body may come to gigabytes.
            return None
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type or ""


def bearer_token(request: Request) -> str:
    """Return the token of `Authorization: Bearer …` (RFC 6750); the scheme's case does not matter.

    Raises TokenMissing, and TokenMalformed where the header has something else.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        raise TokenMissing
    scheme, space, token = header.partition(" ")
    if scheme.lower() != "bearer" or not space:
        raise TokenMalformed
    # Spaces alone, as HTTP has it: Python's own idea of white space has twenty more characters.
    if not (token := token.strip(" ")):
        raise TokenMissing
    return str(token)


class BearerAuthentication(BaseAuthentication):
    """Finds the session of the request's bearer token."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def authenticate(self, request: Request) -> tuple[Any, Session] | None:
        session = self.contract.session_of(bearer_token(request))
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class OptionalAuthentication(BearerAuthentication):
    """Finds the session where there is one; a token that opens nothing shuts nobody out of what is public."""

    def authenticate(self, request: Request) -> tuple[Any, Session] | None:
        try:
            return super().authenticate(request)
        except (TokenMissing, TokenInvalid, TokenExpired, SessionEnded, UserGone):
            return None


class Pages(PageNumberPagination):
    """Pages of a list: `count`, `next`, `previous` and `results`."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


def problems(errors: Mapping[str, Any]) -> dict[str, list[Problem]]:
    """Return what REST framework found wrong with some fields, in the core's words."""
    return {name: [Problem(str(item.code), str(item)) for item in items] for name, items in errors.items()}


S = TypeVar("S", bound=Serializer[Any])


class ContractViewSet(GenericViewSet[Any]):
    """The base of a contract's views. A view reads its input, calls one verb, and answers."""

    contract: ClassVar[Contract]
    # What is in the body of the contract's errors.
    error_shape: ClassVar[type[Serializer[Any]]]
    # What is in it instead where the errors of a status have a shape of their own.
    error_shapes: ClassVar[Mapping[int, type[Serializer[Any]]]] = {}
    # What any action here can come to, beside what follows from its request and its verb.
    outcomes: ClassVar[tuple[type[BaseException], ...]] = ()
    # Actions that anybody may call; a token that comes along is not looked at.
    public: ClassVar[frozenset[str]] = frozenset()
    # Actions that anybody may call, and that do more for some whose token comes along.
    optional: ClassVar[frozenset[str]] = frozenset()
    renderer_classes = [JSONRenderer]
    parser_classes = [StrictJSONParser]
    content_negotiation_class = IgnoreAcceptNegotiation
    pagination_class: type[BasePagination] = Pages
    filter_backends = [DjangoFilterBackend]
    # What the query of a list may say.
    filterset_class: ClassVar[type[FilterSet] | None] = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def get_authenticators(self) -> list[BaseAuthentication]:
        # DRF asks before it sets `action`. A method that the path does not have is told before a missing token.
        action = self.action_map.get((self.request.method or "").lower())
        if action is None or action in self.public:
            return []
        kind = OptionalAuthentication if action in self.optional else BearerAuthentication
        return [kind(self.contract)]

    @property
    def session(self) -> Session:
        return self.request.auth  # type: ignore[return-value]

    @property
    def actor(self) -> User | None:
        """Whoever calls an optional action with a good token."""
        return self.request.auth.user if isinstance(self.request.auth, Session) else None

    @property
    def origin(self) -> Origin:
        return request_origin(self.request)

    def read(self, fields: type[S]) -> dict[str, Any]:
        """Return the body's fields, checked; unknown ones are left out. Raises InvalidInput."""
        return self.checked(fields(data=self.request.data))

    def checked(self, fields: Serializer[Any]) -> dict[str, Any]:
        with translation.override(self.contract.language):
            valid = fields.is_valid()
        if not valid:
            raise InvalidInput(problems(fields.errors))
        return dict(fields.validated_data)

    def answer(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return an answer with personal data or tokens, which nobody on the way may keep."""
        return Response(body, status=status, headers={"Cache-Control": "no-store", **(headers or {})})

    def listed(self, rows: QuerySet[Any], show: Callable[[Any], Any]) -> Response:
        """Return one page of a list, filtered and ordered as the query asks. Raises InvalidInput and NotFound."""
        with translation.override(self.contract.language):
            page = self.paginate_queryset(self.filter_queryset(rows))
        return self.answer(self.get_paginated_response([show(row) for row in page or ()]).data)

    def handle_exception(self, exc: Exception) -> Response:
        """Return the contract's words for whatever went wrong; a crash is logged and says nothing of itself."""
        if isinstance(exc, ValidationError) and isinstance(exc.detail, dict):
            # What a filter of a list does not take; fields of a body come as InvalidInput already.
            exc = InvalidInput(problems(exc.detail))
        words = self.contract.wire_error(exc)
        if words.status == 500 or isinstance(exc, OperationalError | InterfaceError):
            logger.error("%s %s failed", self.request.method, self.request.path, exc_info=exc)
        headers = error_headers(words, exc)
        return Response(
            self.contract.envelope(words, exc),
            status=words.status,
            headers=headers,
            content_type=self.contract.media_type,
        )


class AdministratorsOnly(ContractViewSet):
    """What only administrators may do; the role is the database's, not the token's."""

    outcomes = (PermissionDenied,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A method that the path does not have comes this far without a session, and is told so next.
        if request.auth and not self.session.user.is_administrator:
            raise PermissionDenied
