"""The endpoints of the clinic contract."""

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.base import ContractViewSet, bearer_token
from accounts.contracts.clinic import contract, wire
from accounts.contracts.schema import PROOF, documented
from accounts.models import EndReason
from accounts.services import identifiers, passwords, registration, sessions, sign_in


class ClinicViewSet(ContractViewSet):
    contract = contract.CONTRACT
    error_shape = wire.Failure
    error_shapes = {422: wire.WrongFields}


class RegistrationViewSet(ClinicViewSet):
    public = frozenset({"register"})

    @documented(
        takes=wire.Registration,
        answers=wire.RegistrationAnswer,
        outcomes=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, request: Request) -> Response:
        """Register a patient.

        No token comes with the account: log in next. One address may register a limited number of accounts an hour.
        """
        columns = {**self.read(wire.Registration), "role": contract.ROLE}
        password = columns.pop("password")
        registration.register_by_email(columns=columns, password=password, roles={contract.ROLE}, origin=self.origin)
        return self.answer({"message": "User registered successfully."})


class SignInViewSet(ClinicViewSet):
    public = frozenset({"login"})

    @documented(takes=wire.Login, answers=wire.TokenAnswer, outcomes=PROOF)
    def login(self, request: Request) -> Response:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` says how long.
        """
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.email(given["email"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        return self.answer(contract.token_answer(session))

    @documented(answers=wire.LogoutAnswer)
    def logout(self, request: Request) -> Response:
        """End the session of this token.

        The very next request with its token is refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer({"message": "You have been logged out."})


class RefreshViewSet(ClinicViewSet):
    """The token that the request brings is itself what is spent."""

    contract = contract.REFRESH
    public = frozenset({"refresh"})

    @documented(answers=wire.TokenAnswer, outcomes=(errors.TokenMissing,))
    def refresh(self, request: Request) -> Response:
        """Get the next token for the one that is sent.

        The one that is sent serves no longer. For a few seconds it gives the same successor again, for a lost answer.
        """
        return self.answer(contract.token_answer(contract.refresh(bearer_token(request), self.origin)))


class MeViewSet(ClinicViewSet):
    @documented(answers=wire.UserAnswer)
    def retrieve(self, request: Request) -> Response:
        """Tell who the caller is."""
        return self.answer(wire.user_out(self.session.user))


class ResetViewSet(ClinicViewSet):
    contract = contract.RESET
    public = frozenset({"reset"})

    @documented(takes=wire.Reset, answers=wire.ResetAnswer, outcomes=(errors.NotFound, *PROOF))
    def reset(self, request: Request) -> Response:
        """Change the password of somebody without a token.

        Every session ends. Too many wrong passwords lock the account for this address; `Retry-After` says how long.
        """
        given = self.read(wire.Reset)
        passwords.change_signed_out(
            identifier=identifiers.email(given["email"]),
            old=given["old_password"],
            new=given["new_password"],
            origin=self.origin,
        )
        return self.answer({"message": "Password has been reset successfully."})


class NotFoundViewSet(ClinicViewSet):
    """Answers every path of the mount that nothing else answers."""

    schema = None
    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
