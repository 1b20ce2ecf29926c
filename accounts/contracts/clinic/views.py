from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.base import ContractViewSet, bearer_token
from accounts.contracts.clinic import contract, wire
from accounts.models import EndReason
from accounts.services import identifiers, passwords, registration, sessions, sign_in


class ClinicViewSet(ContractViewSet):
    contract = contract.CONTRACT
    # The description has only the native contract yet.
    schema = None


class RegistrationViewSet(ClinicViewSet):
    public = frozenset({"register"})

    def register(self, request: Request) -> Response:
        columns = {**self.read(wire.Registration), "role": contract.ROLE}
        password = columns.pop("password")
        registration.register_by_email(columns=columns, password=password, roles={contract.ROLE}, origin=self.origin)
        return self.answer({"message": "User registered successfully."})


class SignInViewSet(ClinicViewSet):
    public = frozenset({"login"})

    def login(self, request: Request) -> Response:
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.email(given["email"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        return self.answer(contract.token_answer(session))

    def logout(self, request: Request) -> Response:
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer({"message": "You have been logged out."})


class RefreshViewSet(ClinicViewSet):
    """The token that the request brings is itself what is spent."""

    contract = contract.REFRESH
    public = frozenset({"refresh"})

    def refresh(self, request: Request) -> Response:
        return self.answer(contract.token_answer(contract.refresh(bearer_token(request), self.origin)))


class MeViewSet(ClinicViewSet):
    def retrieve(self, request: Request) -> Response:
        return self.answer(wire.user_out(self.session.user))


class ResetViewSet(ClinicViewSet):
    contract = contract.RESET
    public = frozenset({"reset"})

    def reset(self, request: Request) -> Response:
        given = self.read(wire.Reset)
        passwords.change_signed_out(
            identifier=identifiers.email(given["email"]),
            old=given["old_password"],
            new=given["new_password"],
            origin=self.origin,
        )
        return self.answer({"message": "Password has been reset successfully."})


class NothingViewSet(ClinicViewSet):
    """Answers every path of the mount that nothing else answers."""

    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
