"""The operations of the native contract for administrators: users and login attempts."""

from typing import Any

from accounts import errors
from accounts.contracts.native import administrator_wire, filters, wire
from accounts.contracts.native.views import NativeViewSet
from accounts.contracts.operations import operation
from accounts.contracts.viewsets import AdministratorViewSet
from accounts.models import User
from accounts.services import listings, second_factors, users
from audit.models import LoginAttempt
from audit.replica import on_replica


class UserViewSet(NativeViewSet, AdministratorViewSet):
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
    }

    @operation(response=administrator_wire.UsersAnswer)
    def list(self) -> dict[str, Any]:
        """List accounts, the newest first."""
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
        """Create an account of any role."""
        password = data.pop("password")
        return users.create(columns=data, password=password, origin=self.origin, actor=self.session.user)

    @operation(response=wire.UserAnswer)
    def retrieve(self, user_id: int) -> User:
        """Return an account."""
        return self._read(user_id)

    @operation(
        request=administrator_wire.UserChanges,
        response=wire.UserAnswer,
        errors=(errors.AlreadyTaken, errors.OwnAccount, errors.LastAdministrator, errors.SeparatedDuties),
    )
    def partial_update(self, data: dict[str, Any], user_id: int) -> User:
        """Change an account.

        A field that is missing is not changed. A new role ends the account's sessions. Only a superuser may change a
        superuser.
        """
        return self._change(user_id, data)

    @operation(response=wire.UserAnswer)
    def activate(self, user_id: int) -> User:
        """Allow a disabled account to log in again."""
        return self._change(user_id, {"is_active": True})

    @operation(response=wire.UserAnswer, errors=(errors.OwnAccount, errors.LastAdministrator))
    def deactivate(self, user_id: int) -> User:
        """Disable an account and end its sessions.

        Your own account and that of the last active administrator cannot be disabled.
        """
        return self._change(user_id, {"is_active": False})

    @operation(response=wire.UserAnswer)
    def approve(self, user_id: int) -> User:
        """Approve an account that waits for approval."""
        return self._change(user_id, {"awaits_approval": False})

    @operation(response=wire.UserAnswer)
    def unlock(self, user_id: int) -> User:
        """Reset an account's failed logins, so that its user can log in at once."""
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

    def _read(self, user_id: int) -> User:
        """Return an account. Every operation records it, because its response has the account, changed or not."""
        user = users.find(user_id=user_id)
        listings.record_reading(actor=self.session.user, user=user, origin=self.origin)
        return user

    def _change(self, user_id: int, changes: dict[str, Any]) -> User:
        user = self._read(user_id)
        return users.change(user=user, changes=changes, actor=self.session.user, origin=self.origin)


class LoginAttemptViewSet(NativeViewSet, AdministratorViewSet):
    queryset = LoginAttempt.objects.order_by("-id")
    filterset_class = filters.LoginAttemptFilter
    required_permissions = {"list": "audit.view_loginattempt"}

    @operation(response=administrator_wire.AttemptsAnswer)
    def list(self) -> dict[str, Any]:
        """List login attempts, the newest first."""
        return self.paginate(on_replica(self.queryset.all()))
