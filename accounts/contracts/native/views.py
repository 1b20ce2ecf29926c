from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.base import ContractViewSet
from accounts.contracts.native import contract, wire
from accounts.models import EndReason
from accounts.services import identifiers, registration, sessions, sign_in


class NativeViewSet(ContractViewSet):
    contract = contract.CONTRACT


class RegistrationViewSet(NativeViewSet):
    public = frozenset({"register"})

    def register(self, request: Request) -> Response:
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = registration.register(columns=columns, password=password, roles=contract.ROLES, origin=self.origin)
        return self.answer(wire.user_out(user), status=201)


class SessionViewSet(NativeViewSet):
    public = frozenset({"login", "refresh"})

    def login(self, request: Request) -> Response:
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.any_of_three(given["username"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        return self.answer({**contract.token_pair(session), "user": wire.user_out(session.user)})

    def refresh(self, request: Request) -> Response:
        session = contract.refresh(self.read(wire.Refresh)["refresh_token"], self.origin)
        return self.answer(contract.token_pair(session))

    def logout(self, request: Request) -> Response:
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin)
        return self.answer(None, status=204)


class MeViewSet(NativeViewSet):
    def retrieve(self, request: Request) -> Response:
        return self.answer(wire.user_out(self.session.user))


class NothingViewSet(NativeViewSet):
    """Answers every path of the mount that nothing else answers."""

    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
