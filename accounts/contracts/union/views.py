from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.base import ContractViewSet, bearer_token
from accounts.contracts.union import contract, wire
from accounts.services import identifiers, sign_in


class UnionViewSet(ContractViewSet):
    contract = contract.CONTRACT
    # The description has only the native contract yet.
    schema = None


class RegistrationViewSet(UnionViewSet):
    public = frozenset({"register"})

    def register(self, request: Request) -> Response:
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = contract.register(columns, password, self.origin)
        return self.answer(contract.success("用户注册成功", wire.registered_out(user)))


class SignInViewSet(UnionViewSet):
    public = frozenset({"login"})

    def login(self, request: Request) -> Response:
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.phone(given["phone"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
            door=contract.only(given["userType"]),
        )
        data = {**wire.user_out(session.user), "token": contract.new_token(session)}
        return self.answer(contract.success("登录成功", data))


class UserViewSet(UnionViewSet):
    def info(self, request: Request) -> Response:
        return self.answer(
            contract.success("获取用户信息成功", wire.user_out(self.session.user)),
            headers=contract.renewal(bearer_token(request), self.session),
        )


class NothingViewSet(UnionViewSet):
    """Answers every path of the mount that nothing else answers."""

    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
