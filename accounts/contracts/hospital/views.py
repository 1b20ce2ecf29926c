from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.base import AdministratorsOnly, ContractViewSet
from accounts.contracts.hospital import contract, filters, wire
from accounts.models import EndReason, User
from accounts.services import identifiers, people, registration, sessions, sign_in


class HospitalViewSet(ContractViewSet):
    contract = contract.CONTRACT
    # The description has only the native contract yet.
    schema = None

    def answer(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return super().answer({"success": True, "data": body}, status, headers)


class RegistrationViewSet(HospitalViewSet):
    optional = frozenset({"register"})

    def register(self, request: Request) -> Response:
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = registration.register_or_create(
            actor=self.actor, columns=columns, password=password, roles=contract.ROLES, origin=self.origin
        )
        return self.answer({"message": "User registered successfully", "user": wire.user_out(user)})


class SignInViewSet(HospitalViewSet):
    contract = contract.LOGIN
    public = frozenset({"login"})

    def login(self, request: Request) -> Response:
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
    def retrieve(self, request: Request) -> Response:
        return self.answer({"user": wire.user_out(self.session.user)})

    def update(self, request: Request) -> Response:
        changes = self.read(wire.OwnChanges)
        password, old_password = changes.pop("password", None), changes.pop("old_password", None)
        user = people.change_own_and_password(
            user=self.session.user,
            changes=changes,
            password=password,
            old_password=old_password,
            origin=self.origin,
        )
        return self.answer({"message": "Profile updated successfully", "user": wire.user_out(user)})

    def logout(self, request: Request) -> Response:
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer({"message": "Logout successful"})


class UserViewSet(HospitalViewSet, AdministratorsOnly):
    # The newest first, as ids are given in the order of creation.
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter
    pagination_class = filters.Pages

    def list(self, request: Request) -> Response:
        return self.listed(self.queryset.all(), wire.user_out)


class NothingViewSet(HospitalViewSet):
    """Answers every path of the mount that nothing else answers."""

    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
