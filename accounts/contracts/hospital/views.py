"""The endpoints of the hospital contract."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.base import AdministratorsOnly, ContractViewSet
from accounts.contracts.hospital import contract, filters, wire
from accounts.contracts.schema import PROOF, documented
from accounts.models import EndReason, User
from accounts.services import identifiers, profile, registration, sessions, sign_in


class HospitalViewSet(ContractViewSet):
    contract = contract.CONTRACT
    error_shape = wire.Failure

    def answer(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return super().answer({"success": True, "data": body}, status, headers)


class RegistrationViewSet(HospitalViewSet):
    optional = frozenset({"register"})

    @documented(
        takes=wire.Registration,
        answers=wire.RegistrationAnswer,
        outcomes=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, request: Request) -> Response:
        """Register an account.

        No token comes with the account: log in next. An administrator's token creates the account, of any role that the
        contract names; any other token makes no difference.
        """
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = registration.register_or_create(
            actor=self.actor, columns=columns, password=password, roles=contract.ROLES, origin=self.origin
        )
        return self.answer({"message": "User registered successfully", "user": wire.user_out(user)})


class SignInViewSet(HospitalViewSet):
    contract = contract.LOGIN
    public = frozenset({"login"})

    @documented(takes=wire.Login, answers=wire.LoginAnswer, outcomes=PROOF)
    def login(self, request: Request) -> Response:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` says how long. The token serves a day.
        """
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.username(given["username"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        return self.answer(
            {
                "message": "Login successful",
                "token": contract.token_of(session),
                "user": wire.user_out(session.user),
            }
        )


class ProfileViewSet(HospitalViewSet):
    @documented(answers=wire.ProfileAnswer)
    def retrieve(self, request: Request) -> Response:
        """Tell who the caller is."""
        return self.answer({"user": wire.user_out(self.session.user)})

    @documented(
        takes=wire.OwnChanges, answers=wire.UpdateAnswer, outcomes=(errors.AlreadyTaken, errors.TooManyCodes, *PROOF)
    )
    def update(self, request: Request) -> Response:
        """Change one's own account.

        What is left out stays as it is; null or an empty text takes a value away.
        """
        changes = self.read(wire.OwnChanges)
        password, old_password = changes.pop("password", None), changes.pop("old_password", None)
        user = profile.change(
            user=self.session.user,
            changes=changes,
            new_password=password,
            old_password=old_password,
            origin=self.origin,
        )
        return self.answer({"message": "Profile updated successfully", "user": wire.user_out(user)})

    @documented(answers=wire.LogoutAnswer)
    def logout(self, request: Request) -> Response:
        """End the session of this token.

        The very next request with its token is refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer({"message": "Logout successful"})


class UserViewSet(HospitalViewSet, AdministratorsOnly):
    # The newest first, as ids are given in the order of creation.
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter
    pagination_class = filters.Pages

    @documented(answers=wire.UsersAnswer)
    def list(self, request: Request) -> Response:
        """List the users, the newest first, for administrators."""
        return self.listed(self.queryset.all(), wire.user_out)


class NotFoundViewSet(HospitalViewSet):
    """Answers every path of the mount that nothing else answers."""

    schema = None
    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
