"""The declaration of an operation: what a view reads, what it returns and how it can fail.

The declaration is the one source of how the request is parsed, how the response is rendered and how both are described.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.base import ErrorClass
from accounts.contracts.serializers import RequestBody, ResponseBody

if TYPE_CHECKING:
    from accounts.contracts.viewsets import ContractViewSet

View = Callable[..., Any]

# How the check of a password can fail, and how a login.
PASSWORD_ERRORS: Final[tuple[ErrorClass, ...]] = (
    errors.InvalidCredentials,
    errors.AccountDisabled,
    errors.ApprovalPending,
    errors.TooManyAttempts,
    errors.TooManyLogins,
    errors.Overloaded,
)
LOGIN_ERRORS: Final[tuple[ErrorClass, ...]] = (*PASSWORD_ERRORS, errors.PasswordExpired)


@dataclass(frozen=True, slots=True)
class Operation:
    """The declaration of one operation; see `operation` for its parts."""

    request: type[RequestBody] | None
    response: type[ResponseBody] | None
    message: str
    status: int
    errors: tuple[ErrorClass, ...]
    headers: tuple[str, ...]
    request_headers: tuple[str, ...]


def operation(
    *,
    request: type[RequestBody] | None = None,
    response: type[ResponseBody] | None = None,
    message: str = "",
    status: int = 200,
    errors: tuple[ErrorClass, ...] = (),
    headers: tuple[str, ...] = (),
    request_headers: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Make a method of a viewset an operation.

    The method is called with the validated fields of `request`, where there is one, and with the parameters of the
    path. It returns an object that `response` renders. `message` is the message of the contract's envelope. `errors`
    are those of the service that is called, `headers` the response headers of the operation and `request_headers` the
    headers that it reads, which `accounts.contracts.schema.headers` describes. The first line of the docstring is the
    summary, the rest the description.
    """
    declared = Operation(request, response, message, status, errors, headers, request_headers)

    def decorate(method: View) -> View:
        @wraps(method)
        def view(viewset: "ContractViewSet", _request: Request, *args: Any, **kwargs: Any) -> Response:
            fields = (viewset.parse(declared.request),) if declared.request else ()
            return viewset.respond(declared, method(viewset, *fields, *args, **kwargs))

        vars(view)["operation"] = declared
        return view

    return decorate


def operation_of(view: View) -> Operation:
    """Return the declaration of a view. Raises LookupError where it has none."""
    try:
        return cast(Operation, vars(view)["operation"])
    except KeyError:
        raise LookupError(f"{view.__qualname__} is not described: it needs @operation(…).") from None
