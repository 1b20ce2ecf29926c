"""The operations of the union contract."""

from typing import Any

from accounts import errors
from accounts.contracts.authentication import bearer_token
from accounts.contracts.claims import SessionToken
from accounts.contracts.operations import LOGIN_ERRORS, operation
from accounts.contracts.union import contract, tokens, wire
from accounts.contracts.union.errors import only_username_already_taken
from accounts.contracts.viewsets import ContractViewSet
from accounts.models import Session, User
from accounts.services import identifiers, registration, sign_in


class UnionViewSet(ContractViewSet):
    contract = contract.CONTRACT
    envelope = wire.Success
    error_response = wire.Failure


class RegistrationViewSet(UnionViewSet):
    public = frozenset({"register"})

    @operation(
        request=wire.Registration,
        response=wire.RegistrationData,
        message="用户注册成功",
        errors=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, data: dict[str, Any]) -> User:
        """Register an account.

        A user name that is taken is answered with 409 and code 1001; a phone number that is taken is an invalid field,
        answered with 400. The response has no token: log in next. The number of registrations from one address is
        limited per hour.
        """
        password = data.pop("password")
        with only_username_already_taken():
            return registration.register(columns=data, password=password, roles=wire.ROLES, origin=self.origin)


class SignInViewSet(UnionViewSet):
    public = frozenset({"login"})

    @operation(request=wire.Login, response=wire.LoginData, message="登录成功", errors=LOGIN_ERRORS)
    def login(self, data: dict[str, Any]) -> SessionToken:
        """Log in by phone number.

        A `userType` that is not the account's is answered like a wrong password. Too many failures lock the account for
        this address; `Retry-After` has the seconds. Only after a correct password does the response say that the
        account is disabled or waits for approval.
        """
        return sign_in.sign_in(
            identifier=identifiers.phone(data["phone"]),
            password=data["password"],
            issuer=tokens.LOGIN,
            origin=self.origin,
            rule=contract.only(data["userType"]),
        )


class UserViewSet(UnionViewSet):
    @operation(response=wire.UserData, message="获取用户信息成功", headers=("Authorization",))
    def info(self) -> Session:
        """Return the current user.

        Once half of the token's lifetime is over, the `Authorization` header of the response has a new token, until the
        session ends seven days after the login. The token of a deleted user is answered with 404 and code 1003.
        """
        self.headers.update(tokens.renewal(bearer_token(self.request), self.session))
        return self.session
