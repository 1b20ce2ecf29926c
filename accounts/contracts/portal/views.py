"""The operations of the portal contract."""

from typing import Any

from accounts import errors
from accounts.contracts.authentication import bearer_token
from accounts.contracts.claims import SessionToken
from accounts.contracts.operations import LOGIN_ERRORS, operation
from accounts.contracts.portal import contract, tokens, wire
from accounts.contracts.viewsets import ContractViewSet
from accounts.models import EndReason, User
from accounts.services import identifiers, registration, sessions, sign_in


class PortalViewSet(ContractViewSet):
    contract = contract.CONTRACT
    envelope = wire.Success
    error_response = wire.Failure


class RegistrationViewSet(PortalViewSet):
    public = frozenset({"register"})

    @operation(
        request=wire.Registration,
        response=wire.RegistrationData,
        message="注册成功",
        errors=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, data: dict[str, Any]) -> User:
        """Register an account.

        A user name or an e-mail address that is taken is answered with 400, like an invalid field. The response has no
        token: log in next. The number of registrations from one address is limited per hour.
        """
        password = data.pop("password")
        return registration.register(
            columns={**data, "role": wire.ROLE}, password=password, roles={wire.ROLE}, origin=self.origin
        )


class SignInViewSet(PortalViewSet):
    # The refresh reads the token itself, because it spends it.
    public = frozenset({"login", "refresh"})

    @operation(request=wire.Login, response=wire.LoginData, message="登录成功", errors=LOGIN_ERRORS)
    def login(self, data: dict[str, Any]) -> SessionToken:
        """Log in by user name.

        Too many wrong passwords lock the account for this address; `Retry-After` has the seconds. Only after a correct
        password does the response say that the account is disabled or waits for approval.
        """
        return sign_in.sign_in(
            identifier=identifiers.username(data["username"]),
            password=data["password"],
            issuer=tokens.LOGIN,
            origin=self.origin,
        )

    @operation(response=wire.RefreshData, message="刷新成功", errors=(errors.TokenMissing,))
    def refresh(self) -> SessionToken:
        """Return the next token.

        The request has the current token, which must not have expired. For a few seconds that token stays valid, and
        refreshing it again returns the same next token; after that it is refused.
        """
        return tokens.issue(tokens.refresh(bearer_token(self.request), self.origin))

    @operation(response=wire.LogoutAnswer)
    def logout(self) -> None:
        """End the session of this token.

        Later requests with the tokens of the session are refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)


class ProfileViewSet(PortalViewSet):
    @operation(response=wire.ProfileData, message="获取成功")
    def retrieve(self) -> User:
        """Return the current user.

        The account is read from the database, so a change by an administrator shows at once.
        """
        return self.session.user
