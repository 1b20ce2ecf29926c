"""How the enrolment of second factors is authenticated: by an access token, or by the token of an enrolment."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from accounts.contracts.authentication import BearerAuthentication, bearer_token
from accounts.errors import TokenInvalid
from accounts.models import Session
from accounts.services import enrollment
from audit.origin import request_origin


@dataclass(frozen=True, slots=True)
class EnrollmentAuth:
    """What a request with an enrolment token has in place of a session."""


class EnrollmentAuthentication(BearerAuthentication):
    """Returns the user, and the session of an access token or the enrolment of an enrolment token."""

    def authenticate(self, request: Request) -> tuple[Any, Session | EnrollmentAuth]:  # type: ignore[override]  # It returns no None.
        token, origin = bearer_token(request), request_origin(request)
        try:
            session = self.contract.session_of(token, origin)
        except TokenInvalid:
            return enrollment.authenticate(token=token, origin=origin), EnrollmentAuth()
        return session.user, session
