"""The operations of the native contract for administrators: users, their sessions, and the trail."""

from typing import Any
from uuid import UUID

from rest_framework.response import Response

from accounts import errors
from accounts.contracts.native import administrator_wire, filters, wire
from accounts.contracts.native.views import NativeAdministratorViewSet, with_current
from accounts.contracts.operations import Operation, operation
from accounts.contracts.preconditions import entity_tag, required_versions
from accounts.models import Session, User
from accounts.services import account_state, listings, second_factors, sessions, users
from accounts.services.versions import version
from audit.models import LoginAttempt, SecurityEvent
from audit.replica import on_replica


class AccountViewSet(NativeAdministratorViewSet):
    """The base of views of one account or of what belongs to it."""

    def _read(self, user_id: int) -> User:
        """Return an account, and record that. Responses have the account, changed or not, or its sessions."""
        user = users.find(user_id=user_id)
        listings.record_reading(actor=self.session.user, user=user, origin=self.origin)
        return user


class UserViewSet(AccountViewSet):
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter
    required_permissions = {
        "list": "accounts.view_user",
        "create": "accounts.add_user",
        "retrieve": "accounts.view_user",
        "partial_update": "accounts.change_user",
        "activate": "accounts.change_user",
        "deactivate": "accounts.change_user",
        "approve": "accounts.change_user",
        "unlock": "accounts.unlock_user",
        "remove_second_factors": "accounts.remove_second_factors",
        "logout_all": "accounts.end_session",
    }

    @operation(response=administrator_wire.UsersAnswer)
    def list(self) -> dict[str, Any]:
        """List accounts, the newest first.

        The filters of the query are combined with *and*. That the list was read is recorded in the trail.
        """
        page = self.paginate(self.queryset.all())
        self.record_listing(rows=len(page["results"]), count=page["count"])
        return page

    @operation(
        request=administrator_wire.UserCreation,
        response=wire.UserAnswer,
        status=201,
        errors=(errors.AlreadyTaken, errors.Overloaded),
    )
    def create(self, data: dict[str, Any]) -> User:
        """Create an account of any role.

        Its contacts count as given by an administrator, so that they receive reset codes before they are verified.
        """
        password = data.pop("password")
        return users.create(columns=data, password=password, origin=self.origin, actor=self.session.user)

    @operation(response=wire.UserAnswer, headers=("ETag",))
    def retrieve(self, user_id: int) -> User:
        """Return an account.

        The `ETag` is its version: sent as `If-Match` with a change, it prevents that the change overwrites another one.
        That the account was read is recorded in the trail.
        """
        return self._read(user_id)

    @operation(
        request=administrator_wire.UserChanges,
        response=wire.UserAnswer,
        errors=(
            errors.AlreadyTaken,
            errors.OwnAccount,
            errors.LastAdministrator,
            errors.SeparatedDuties,
            errors.EditConflict,
        ),
        headers=("ETag",),
        request_headers=("If-Match",),
    )
    def partial_update(self, data: dict[str, Any], user_id: int) -> User:
        """Change an account.

        A field that is missing is not changed. A new role ends the account's sessions. Only a superuser may change a
        superuser. With `If-Match`, a change of an account that has changed since it was read is refused with 412.
        """
        versions = required_versions(self.request)
        users.change(
            user=self._read(user_id), changes=data, actor=self.session.user, origin=self.origin, versions=versions
        )
        # The version is that of the row, as the next request reads it.
        return users.find(user_id=user_id)

    @operation(response=wire.UserAnswer)
    def activate(self, user_id: int) -> User:
        """Allow a disabled account to log in again.

        Its former sessions stay ended.
        """
        return self._change(user_id, {"is_active": True})

    @operation(response=wire.UserAnswer, errors=(errors.OwnAccount, errors.LastAdministrator))
    def deactivate(self, user_id: int) -> User:
        """Disable an account and end its sessions.

        Your own account and that of the last active administrator cannot be disabled.
        """
        return self._change(user_id, {"is_active": False})

    @operation(response=wire.UserAnswer)
    def approve(self, user_id: int) -> User:
        """Approve an account that waits for approval.

        Its user can log in from then on.
        """
        return self._change(user_id, {"awaits_approval": False})

    @operation(response=wire.UserAnswer)
    def unlock(self, user_id: int) -> User:
        """Reset an account's failed logins, so that its user can log in at once.

        Locks of addresses stay.
        """
        user = self._read(user_id)
        users.unlock(user=user, actor=self.session.user, origin=self.origin)
        return user

    @operation(
        request=administrator_wire.FactorRemoval,
        response=wire.UserAnswer,
        errors=(errors.OwnAccount,),
    )
    def remove_second_factors(self, data: dict[str, Any], user_id: int) -> User:
        """Remove the second factors and recovery codes of an account whose user has lost them, and end its sessions.

        The user is notified, and the reason is recorded. Only a superuser may do this to a superuser. Your own are
        removed with `mfa/{id}`.
        """
        user = self._read(user_id)
        second_factors.remove_all(user=user, reason=data["reason"], actor=self.session.user, origin=self.origin)
        return user

    @operation(status=204)
    def logout_all(self, user_id: int) -> None:
        """End all sessions of an account, those of the admin site too.

        Only a superuser may do this to a superuser.
        """
        account_state.end_sessions(user=self._read(user_id), actor=self.session.user, origin=self.origin)

    def respond(self, operation: Operation, result: Any) -> Response:
        response = super().respond(operation, result)
        if "ETag" in operation.headers:
            response["ETag"] = entity_tag(version(result))
        return response

    def _change(self, user_id: int, changes: dict[str, Any]) -> User:
        user = self._read(user_id)
        return users.change(user=user, changes=changes, actor=self.session.user, origin=self.origin)


class UserSessionViewSet(AccountViewSet):
    queryset = Session.objects.none()
    required_permissions = {"list": "accounts.view_session", "destroy": "accounts.end_session"}

    @operation(response=wire.SessionsAnswer)
    def list(self, user_id: int) -> dict[str, Any]:
        """List the active sessions of an account, the newest first.

        A session is a login of any contract, or one to the admin site. That they were read is recorded in the trail.
        """
        return self.paginate(with_current(sessions.active(user=self._read(user_id)), self.session))

    @operation(status=204)
    def destroy(self, user_id: int, session_id: UUID) -> None:
        """End a session of an account.

        Only a superuser may do this to a superuser.
        """
        user = users.find(user_id=user_id)
        account_state.end_session_of(user=user, session_id=session_id, actor=self.session.user, origin=self.origin)


class SecurityEventViewSet(NativeAdministratorViewSet):
    queryset = SecurityEvent.objects.order_by("-id")
    filterset_class = filters.SecurityEventFilter
    required_permissions = {"list": "audit.view_securityevent"}

    @operation(response=administrator_wire.EventsAnswer)
    def list(self) -> dict[str, Any]:
        """List security events, the newest first.

        They are what the trail has beside login attempts. The filters of the query are combined with *and*.
        """
        return self.paginate(on_replica(self.queryset.all()))


class LoginAttemptViewSet(NativeAdministratorViewSet):
    queryset = LoginAttempt.objects.order_by("-id")
    filterset_class = filters.LoginAttemptFilter
    required_permissions = {"list": "audit.view_loginattempt"}

    @operation(response=administrator_wire.AttemptsAnswer)
    def list(self) -> dict[str, Any]:
        """List login attempts, the newest first.

        The attempts are those of all contracts and of the admin site. The filters of the query are combined with *and*.
        """
        return self.paginate(on_replica(self.queryset.all()))
