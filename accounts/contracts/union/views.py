"""The endpoints of the union contract."""

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.base import ContractViewSet, bearer_token
from accounts.contracts.schema import PROOF, documented
from accounts.contracts.union import contract, wire
from accounts.services import identifiers, sign_in


class UnionViewSet(ContractViewSet):
    contract = contract.CONTRACT
    error_shape = wire.Failure


class RegistrationViewSet(UnionViewSet):
    public = frozenset({"register"})

    @documented(
        takes=wire.Registration,
        answers=wire.RegistrationAnswer,
        outcomes=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, request: Request) -> Response:
        """Register an account.

        A user name that is taken answers 409 with code 1001; a phone number that is taken is a wrong field, so it
        answers 400. No token comes with the account: log in next. One address may register a limited number of accounts
        an hour.
        """
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = contract.register(columns, password, self.origin)
        return self.answer(contract.success("用户注册成功", wire.registered_out(user)))


class SignInViewSet(UnionViewSet):
    public = frozenset({"login"})

    @documented(takes=wire.Login, answers=wire.LoginAnswer, outcomes=PROOF)
    def login(self, request: Request) -> Response:
        """Log in by phone number.

        Another `userType` than the account's is answered like a wrong password. Too many failures lock the account for
        this address; `Retry-After` says how long. That an account is disabled or waits for approval is told only after
        a right password.
        """
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.phone(given["phone"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
            rule=contract.only(given["userType"]),
        )
        data = {**wire.user_out(session.user), "token": contract.new_token(session)}
        return self.answer(contract.success("登录成功", data))


class UserViewSet(UnionViewSet):
    @documented(answers=wire.UserAnswer, headers=("Authorization",))
    def info(self, request: Request) -> Response:
        """Show oneself.

        Once half of the token's life is over, the answer's `Authorization` header has a new one, as long as the session
        lasts: seven days from the login. A token whose user is deleted answers 404 with code 1003.
        """
        return self.answer(
            contract.success("获取用户信息成功", wire.user_out(self.session.user)),
            headers=contract.renewal(bearer_token(request), self.session),
        )


class NotFoundViewSet(UnionViewSet):
    """Answers every path of the mount that nothing else answers."""

    schema = None
    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
