from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.contracts.base import AdministratorsOnly, ContractViewSet
from accounts.contracts.native import contract, filters, wire
from accounts.models import EndReason, Session, User
from accounts.policies import profile
from accounts.services import identifiers, passwords, people, registration, sessions, sign_in
from audit.models import LoginAttempt


class NativeViewSet(ContractViewSet):
    contract = contract.CONTRACT


class RegistrationViewSet(NativeViewSet):
    public = frozenset({"register"})

    def register(self, request: Request) -> Response:
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = registration.register(columns=columns, password=password, roles=contract.ROLES, origin=self.origin)
        return self.answer(wire.user_out(user), status=201)


class SignInViewSet(NativeViewSet):
    public = frozenset({"login", "refresh"})

    def login(self, request: Request) -> Response:
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.any_of_three(given["username"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        return self.answer({**contract.token_pair(session), "user": wire.user_out(session.user)})

    def refresh(self, request: Request) -> Response:
        session = contract.refresh(self.read(wire.Refresh)["refresh_token"], self.origin)
        return self.answer(contract.token_pair(session))

    def logout(self, request: Request) -> Response:
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer(None, status=204)

    def logout_all(self, request: Request) -> Response:
        user = self.session.user
        sessions.end_all(user=user, reason=EndReason.LOGOUT, origin=self.origin, actor=user)
        return self.answer(None, status=204)


class MeViewSet(NativeViewSet):
    def retrieve(self, request: Request) -> Response:
        return self.answer(wire.user_out(self.session.user))

    def partial_update(self, request: Request) -> Response:
        user = people.change_own(user=self.session.user, changes=self.read(wire.OwnChanges), origin=self.origin)
        return self.answer(wire.user_out(user))

    def change_password(self, request: Request) -> Response:
        given = self.read(wire.PasswordChange)
        passwords.change(
            user=self.session.user,
            old=given["old_password"],
            new=given["new_password"],
            rule=profile().native_change,
            origin=self.origin,
        )
        return self.answer(None, status=204)


class SessionViewSet(NativeViewSet):
    """The caller's own sessions."""

    queryset = Session.objects.none()

    def list(self, request: Request) -> Response:
        rows = sessions.live(user=self.session.user)
        return self.listed(rows, lambda row: wire.session_out(row, self.session))

    def destroy(self, request: Request, session_id: UUID) -> Response:
        sessions.end_own(session_id=session_id, user=self.session.user, origin=self.origin)
        return self.answer(None, status=204)


class UserViewSet(NativeViewSet, AdministratorsOnly):
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter

    def list(self, request: Request) -> Response:
        return self.listed(self.queryset.all(), wire.user_out)

    def create(self, request: Request) -> Response:
        columns = self.read(wire.UserCreation)
        password = columns.pop("password")
        user = people.create(columns=columns, password=password, origin=self.origin, actor=self.session.user)
        return self.answer(wire.user_out(user), status=201)

    def retrieve(self, request: Request, user_id: int) -> Response:
        return self.answer(wire.user_out(people.find(user_id=user_id)))

    def partial_update(self, request: Request, user_id: int) -> Response:
        return self._change(user_id, self.read(wire.UserChanges))

    def activate(self, request: Request, user_id: int) -> Response:
        return self._change(user_id, {"is_active": True})

    def deactivate(self, request: Request, user_id: int) -> Response:
        return self._change(user_id, {"is_active": False})

    def approve(self, request: Request, user_id: int) -> Response:
        return self._change(user_id, {"awaits_approval": False})

    def unlock(self, request: Request, user_id: int) -> Response:
        user = people.find(user_id=user_id)
        people.unlock(user=user, actor=self.session.user, origin=self.origin)
        return self.answer(wire.user_out(user))

    def _change(self, user_id: int, changes: dict[str, Any]) -> Response:
        user = people.change(
            user=people.find(user_id=user_id), changes=changes, actor=self.session.user, origin=self.origin
        )
        return self.answer(wire.user_out(user))


class LoginAttemptViewSet(NativeViewSet, AdministratorsOnly):
    queryset = LoginAttempt.objects.order_by("-id")
    filterset_class = filters.LoginAttemptFilter

    def list(self, request: Request) -> Response:
        return self.listed(self.queryset.all(), wire.attempt_out)


class NothingViewSet(NativeViewSet):
    """Answers every path of the mount that nothing else answers."""

    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
