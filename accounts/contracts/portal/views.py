from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.base import ContractViewSet, bearer_token
from accounts.contracts.portal import contract, wire
from accounts.models import EndReason, Role
from accounts.services import identifiers, registration, sessions, sign_in


class PortalViewSet(ContractViewSet):
    contract = contract.CONTRACT
    # The description has only the native contract yet.
    schema = None


class RegistrationViewSet(PortalViewSet):
    public = frozenset({"register"})

    def register(self, request: Request) -> Response:
        columns = {**self.read(wire.Registration), "role": Role.VIEWER}
        password = columns.pop("password")
        user = registration.register(columns=columns, password=password, roles=contract.ROLES, origin=self.origin)
        return self.answer(contract.success("注册成功", wire.registered_out(user)))


class SignInViewSet(PortalViewSet):
    # A refresh spends its token, which is more than to find its session.
    public = frozenset({"login", "refresh"})

    def login(self, request: Request) -> Response:
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.username(given["username"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        data = {"token": contract.token_of(session), "user": wire.login_out(session.user)}
        return self.answer(contract.success("登录成功", data))

    def refresh(self, request: Request) -> Response:
        session = contract.refresh(bearer_token(request), self.origin)
        return self.answer(contract.success("刷新成功", {"token": contract.token_of(session)}))

    def logout(self, request: Request) -> Response:
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer(contract.success("登出成功"))


class ProfileViewSet(PortalViewSet):
    def retrieve(self, request: Request) -> Response:
        return self.answer(contract.success("获取成功", wire.profile_out(self.session.user)))


class NothingViewSet(PortalViewSet):
    """Answers every path of the mount that nothing else answers."""

    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
