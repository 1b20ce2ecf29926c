"""The endpoints of the portal contract."""

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.base import ContractViewSet, bearer_token
from accounts.contracts.portal import contract, wire
from accounts.contracts.schema import PROOF, documented
from accounts.models import EndReason, Role
from accounts.services import identifiers, registration, sessions, sign_in


class PortalViewSet(ContractViewSet):
    contract = contract.CONTRACT
    error_shape = wire.Failure


class RegistrationViewSet(PortalViewSet):
    public = frozenset({"register"})

    @documented(
        takes=wire.Registration,
        answers=wire.RegistrationAnswer,
        outcomes=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, request: Request) -> Response:
        """Register an account.

        A name or an address that is taken answers 400, as a wrong field does. No token comes with the account: log in
        next. One address may register a limited number of accounts an hour.
        """
        columns = {**self.read(wire.Registration), "role": Role.VIEWER}
        password = columns.pop("password")
        user = registration.register(columns=columns, password=password, roles=contract.ROLES, origin=self.origin)
        return self.answer(contract.success("注册成功", wire.registered_out(user)))


class SignInViewSet(PortalViewSet):
    # A refresh spends its token, which is more than to find its session.
    public = frozenset({"login", "refresh"})

    @documented(takes=wire.Login, answers=wire.LoginAnswer, outcomes=PROOF)
    def login(self, request: Request) -> Response:
        """Log in by user name.

        Too many wrong passwords lock the account for this address; `Retry-After` says how long. That an account is
        disabled or waits for approval is told only after a right password.
        """
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.username(given["username"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        data = {"token": contract.token_of(session), "user": wire.login_out(session.user)}
        return self.answer(contract.success("登录成功", data))

    @documented(answers=wire.RefreshAnswer, outcomes=(errors.TokenMissing,))
    def refresh(self, request: Request) -> Response:
        """Get the next token.

        It takes the token that is to be followed, which has to live yet. For a few seconds that one still opens, and
        gives the same successor again; after that it is dead.
        """
        session = contract.refresh(bearer_token(request), self.origin)
        return self.answer(contract.success("刷新成功", {"token": contract.token_of(session)}))

    @documented(answers=wire.LogoutAnswer)
    def logout(self, request: Request) -> Response:
        """End the session of this token.

        The very next request with its tokens is refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer(contract.success("登出成功"))


class ProfileViewSet(PortalViewSet):
    @documented(answers=wire.ProfileAnswer)
    def retrieve(self, request: Request) -> Response:
        """Show oneself."""
        return self.answer(contract.success("获取成功", wire.profile_out(self.session.user)))


class NotFoundViewSet(PortalViewSet):
    """Answers every path of the mount that nothing else answers."""

    schema = None
    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
