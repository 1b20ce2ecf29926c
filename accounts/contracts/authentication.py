"""How a request is authenticated: by the bearer token of its contract (RFC 6750)."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.contracts.base import Contract
from accounts.errors import SessionEnded, TokenExpired, TokenInvalid, TokenMalformed, TokenMissing, UserGone
from accounts.models import Session
from audit.origin import request_origin


def bearer_token(request: Request) -> str:
    """Return the token of `Authorization: Bearer …` (RFC 6750); the scheme is case-insensitive.

    Raises TokenMissing, and TokenMalformed where the header holds something else.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        raise TokenMissing
    scheme, space, token = header.partition(" ")
    if scheme.lower() != "bearer" or not space:
        raise TokenMalformed
    # Only spaces, as RFC 9110 defines them: `str.strip` removes twenty more characters.
    if not (token := token.strip(" ")):
        raise TokenMissing
    return str(token)


class BearerAuthentication(BaseAuthentication):
    """Returns the user and the session of the request's bearer token."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def authenticate(self, request: Request) -> tuple[Any, Session] | None:
        session = self.contract.session_of(bearer_token(request), request_origin(request))
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class OptionalAuthentication(BearerAuthentication):
    """Returns the session where the token is valid; any other request continues without one."""

    def authenticate(self, request: Request) -> tuple[Any, Session] | None:
        try:
            return super().authenticate(request)
        except (TokenMissing, TokenInvalid, TokenExpired, SessionEnded, UserGone):
            return None
