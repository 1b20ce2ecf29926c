"""The error responses of an operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework.exceptions import MethodNotAllowed, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import Contract, ErrorClass, WireError, error_headers
from accounts.contracts.schema.headers import OpenAPI, header_refs
from accounts.policies import MFA_TOKEN_LIFE

EXAMPLE_TOKEN: Final = "eyJhbGciOiJIUzI1NiIs…"  # noqa: S105 It opens nothing.
ANY_REQUEST_ERRORS: Final[tuple[ErrorClass, ...]] = (
    SuspiciousOperation,
    MethodNotAllowed,
    RequestDataTooBig,
    errors.HTTPSRequired,
    BaseException,
    OperationalError,
)
BODY_ERRORS: Final[tuple[ErrorClass, ...]] = (ParseError, UnsupportedMediaType)
TOKEN_ERRORS: Final[tuple[ErrorClass, ...]] = (
    errors.TokenMissing,
    errors.TokenMalformed,
    errors.TokenInvalid,
    errors.TokenExpired,
    errors.SessionEnded,
    errors.UserGone,
    errors.UserInactive,
)


@dataclass(frozen=True, slots=True)
class _ErrorResponse:
    """An error, its entry in the contract's table, and the body of the response."""

    error: BaseException
    wire_error: WireError
    body: dict[str, Any]


def sample(error: ErrorClass) -> BaseException:
    """Return an error of this class, as an example."""
    if issubclass(error, errors.AlreadyTaken):
        return error("email")
    if issubclass(error, errors.SecondFactorEnrollmentRequired):
        return error(EXAMPLE_TOKEN, MFA_TOKEN_LIFE)
    if issubclass(error, errors.SecondFactorRequired):
        return error(EXAMPLE_TOKEN, MFA_TOKEN_LIFE, ("totp", "recovery_code"))
    if issubclass(error, errors.RetryLater):
        return error(retry_after=timedelta(minutes=15))
    if issubclass(error, MethodNotAllowed | UnsupportedMediaType):
        return error("")
    if issubclass(error, ParseError):
        return error("The JSON is not an object.")
    return error()


def error_responses(
    contract: Contract,
    body: OpenAPI,
    samples: Iterable[BaseException],
    bodies: Mapping[int, OpenAPI] = MappingProxyType({}),
) -> dict[str, OpenAPI]:
    """Return status -> response for these errors.

    `body` is the schema of the body of every error of the contract, except for the statuses in `bodies`.
    """
    by_status: dict[int, list[_ErrorResponse]] = {}
    for error in samples:
        wire_error = contract.wire_error(error)
        response = _ErrorResponse(error, wire_error, contract.error_body(wire_error, error))
        alike = by_status.setdefault(wire_error.status, [])
        # A client cannot distinguish two errors that have the same body.
        if all(response.body != other.body for other in alike):
            alike.append(response)
    return {
        str(status): _error_response(contract, bodies.get(status, body), by_status[status])
        for status in sorted(by_status)
    }


def _error_response(contract: Contract, body: OpenAPI, responses: list[_ErrorResponse]) -> OpenAPI:
    names = {"X-Request-ID", *(name for one in responses for name in error_headers(one.wire_error, one.error))}
    if any(isinstance(one.error, MethodNotAllowed) for one in responses):
        names.add("Allow")
    return {
        "description": "\n\n".join(dict.fromkeys(one.wire_error.message for one in responses)),
        "headers": header_refs(*sorted(names)),
        "content": {
            contract.media_type: {
                "schema": body,
                "examples": {
                    type(one.error).__name__: {"summary": one.wire_error.message, "value": one.body}
                    for one in responses
                },
            }
        },
    }
