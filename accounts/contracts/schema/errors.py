"""The error responses of an operation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import Contract, ErrorClass
from accounts.contracts.error_answers import ErrorAnswer, error_answer
from accounts.contracts.negotiation import UnsupportedContentEncoding
from accounts.contracts.parsing import MalformedBody
from accounts.contracts.schema.headers import HEADERS, OpenAPI, header_refs
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
BODY_ERRORS: Final[tuple[ErrorClass, ...]] = (MalformedBody, UnsupportedMediaType, UnsupportedContentEncoding)
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
    """An error, the message of its entry in the contract's table, and the contract's answer."""

    error: BaseException
    message: str
    answer: ErrorAnswer


def sample(error: ErrorClass) -> BaseException:
    """Return an error of this class, as an example."""
    if issubclass(error, errors.AlreadyTaken):
        return error("email")
    if issubclass(error, errors.SecondFactorEnrollmentRequired | errors.PasswordExpired):
        return error(EXAMPLE_TOKEN, MFA_TOKEN_LIFE)
    if issubclass(error, errors.SecondFactorRequired):
        return error(EXAMPLE_TOKEN, MFA_TOKEN_LIFE, ("totp", "recovery_code"))
    if issubclass(error, errors.RetryLater):
        return error(retry_after=timedelta(minutes=15))
    if issubclass(error, MethodNotAllowed | UnsupportedMediaType):
        return error("")
    if issubclass(error, MalformedBody):
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
        response = _ErrorResponse(error, str(contract.wire_error(error).message), error_answer(contract, error, ""))
        alike = by_status.setdefault(response.answer.status, [])
        # A client cannot distinguish two errors that have the same body.
        if all(response.answer.body != other.answer.body for other in alike):
            alike.append(response)
    return {
        str(status): _error_response(contract, bodies.get(status, body), by_status[status])
        for status in sorted(by_status)
    }


def _error_response(contract: Contract, body: OpenAPI, responses: list[_ErrorResponse]) -> OpenAPI:
    names = {"X-Request-ID", *(name for one in responses for name in one.answer.headers if name in HEADERS)}
    if any(isinstance(one.error, MethodNotAllowed) for one in responses):
        names.add("Allow")
    return {
        "description": "\n\n".join(dict.fromkeys(one.message for one in responses)),
        "headers": header_refs(*sorted(names)),
        "content": {
            contract.media_type: {
                "schema": body,
                "examples": {
                    type(one.error).__name__: {"summary": one.message, "value": one.answer.body} for one in responses
                },
            }
        },
    }
