"""The operations of the clinic contract."""

from typing import Any

from accounts import errors
from accounts.contracts.authentication import bearer_token
from accounts.contracts.clinic import contract, tokens, wire
from accounts.contracts.operations import LOGIN_ERRORS, PASSWORD_ERRORS, operation
from accounts.contracts.viewsets import ContractViewSet
from accounts.models import EndReason, User
from accounts.services import identifiers, passwords, registration, sessions, sign_in


class ClinicViewSet(ContractViewSet):
    contract = contract.CONTRACT
    error_response = wire.Failure
    error_responses = {422: wire.WrongFields}


class RegistrationViewSet(ClinicViewSet):
    public = frozenset({"register"})

    @operation(
        request=wire.Registration,
        response=wire.RegistrationAnswer,
        errors=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, data: dict[str, Any]) -> None:
        """Register a patient.

        The response has no token: log in next. The number of registrations from one address is limited per hour.
        """
        password = data.pop("password")
        registration.register_by_email(
            columns={**data, "role": wire.ROLE}, password=password, roles={wire.ROLE}, origin=self.origin
        )


class SignInViewSet(ClinicViewSet):
    public = frozenset({"login"})

    @operation(request=wire.Login, response=wire.TokenAnswer, errors=LOGIN_ERRORS)
    def login(self, data: dict[str, Any]) -> dict[str, Any]:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` has the seconds.
        """
        return sign_in.sign_in(
            identifier=identifiers.email(data["email"]),
            password=data["password"],
            issuer=tokens.LOGIN,
            origin=self.origin,
        )

    @operation(response=wire.LogoutAnswer)
    def logout(self) -> None:
        """End the session of this token.

        Later requests with the token are refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)


class RefreshViewSet(ClinicViewSet):
    contract = contract.REFRESH
    # The refresh reads the token itself, because it spends it.
    public = frozenset({"refresh"})

    @operation(response=wire.TokenAnswer, errors=(errors.TokenMissing,))
    def refresh(self) -> dict[str, Any]:
        """Return the next token.

        The token of the request is replaced. For a few seconds refreshing it again returns the same next token, for a
        client that lost the response.
        """
        return tokens.token_and_lifetime(tokens.refresh(bearer_token(self.request), self.origin))


class MeViewSet(ClinicViewSet):
    @operation(response=wire.UserAnswer)
    def retrieve(self) -> User:
        """Return the current user.

        The account is read from the database, so a change by an administrator shows at once.
        """
        return self.session.user


class ResetViewSet(ClinicViewSet):
    contract = contract.RESET
    public = frozenset({"reset"})

    @operation(
        request=wire.Reset, response=wire.ResetAnswer, errors=(errors.NotFound, errors.TooManyChanges, *PASSWORD_ERRORS)
    )
    def reset(self, data: dict[str, Any]) -> None:
        """Change the password of a user, without a token.

        Every session ends. Too many wrong passwords lock the account for this address; `Retry-After` has the seconds.
        """
        passwords.change_signed_out(
            identifier=identifiers.email(data["email"]),
            old=data["old_password"],
            new=data["new_password"],
            origin=self.origin,
        )
