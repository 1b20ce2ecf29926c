"""The operations of the native contract: registration, tokens, the own account and its sessions."""

from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q

from accounts import errors
from accounts.contracts.native import contract, tokens, wire
from accounts.contracts.operations import PASSWORD_ERRORS, operation
from accounts.contracts.viewsets import AdministratorViewSet, ContractViewSet
from accounts.models import EndReason, Session, User
from accounts.policies import active_profile
from accounts.services import passwords, profile, registration, sessions


class NativeViewSet(ContractViewSet):
    contract = contract.CONTRACT
    area = "account"
    error_response = wire.Problem


class NativeAdministratorViewSet(NativeViewSet, AdministratorViewSet):
    area = "administration"


class RegistrationViewSet(NativeViewSet):
    area = "login"
    public = frozenset({"register"})

    @operation(
        request=wire.Registration,
        response=wire.UserAnswer,
        status=201,
        errors=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, data: dict[str, Any]) -> User:
        """Register an account.

        The response has no token: log in next. The number of registrations from one address is limited per hour. A
        user name that is reserved for administrators, such as `admin`, is refused with the code `reserved`.
        """
        password = data.pop("password")
        return registration.register(columns=data, password=password, roles=wire.ROLES, origin=self.origin)


class TokenViewSet(NativeViewSet):
    area = "login"
    public = frozenset({"refresh"})

    @operation(
        request=wire.Refresh,
        response=wire.TokensAnswer,
        errors=(
            errors.TokenInvalid,
            errors.TokenExpired,
            errors.SessionEnded,
            errors.UserGone,
            errors.TokenReused,
        ),
    )
    def refresh(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the next pair of tokens.

        A refresh token can be used once. For a few seconds it returns the same pair again, for a second browser tab or
        a client that lost the response. Used after that, it ends the session, because it may have been stolen.
        """
        return tokens.token_pair(tokens.refresh(data["refresh_token"], self.origin))

    @operation(status=204)
    def logout(self) -> None:
        """End the session of this token.

        Later requests with the tokens of the session are refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)

    @operation(status=204)
    def logout_all(self) -> None:
        """End all sessions of the current user.

        This includes the session of this token and a login to the admin site.
        """
        user = self.session.user
        sessions.end_all(user=user, reason=EndReason.LOGOUT, origin=self.origin, actor=user)


class MeViewSet(NativeViewSet):
    @operation(response=wire.UserAnswer)
    def retrieve(self) -> User:
        """Return the current user.

        The account is read from the database, so a change by an administrator shows at once.
        """
        return self.session.user

    @operation(
        request=wire.ProfileChange,
        response=wire.UserAnswer,
        errors=(
            errors.AlreadyTaken,
            errors.TooManyRegistrations,
            errors.TooManyChanges,
            errors.TooManyCodes,
            *PASSWORD_ERRORS,
        ),
    )
    def partial_update(self, data: dict[str, Any]) -> User:
        """Change the current user.

        A field that is missing is not changed. In the hardened profile a new `email` or `phone` requires
        `old_password`, and becomes `pending_email` or `pending_phone` until the code that is sent to it is verified:
        see `verify`.
        """
        old_password = data.pop("old_password", None)
        return profile.change(user=self.session.user, changes=data, old_password=old_password, origin=self.origin)

    @operation(request=wire.PasswordChange, status=204, errors=(errors.TooManyChanges, *PASSWORD_ERRORS))
    def change_password(self, data: dict[str, Any]) -> None:
        """Change the password of the current user.

        Every session ends, including this one: log in again.
        """
        passwords.change(
            user=self.session.user,
            old=data["old_password"],
            new=data["new_password"],
            rule=active_profile().native_change,
            origin=self.origin,
        )


class SessionViewSet(NativeViewSet):
    queryset = Session.objects.none()

    @operation(response=wire.SessionsAnswer)
    def list(self) -> dict[str, Any]:
        """List the active sessions of the current user, the newest first.

        A session is a login of any contract, or one to the admin site. `current` marks the session of the request.
        """
        is_current = ExpressionWrapper(Q(pk=self.session.pk), output_field=BooleanField())
        return self.paginate(sessions.active(user=self.session.user).annotate(current=is_current))

    @operation(status=204)
    def destroy(self, session_id: UUID) -> None:
        """End a session of the current user.

        Later requests with its tokens are refused. The session of another user is answered like an unknown one.
        """
        sessions.end_own(session_id=session_id, user=self.session.user, origin=self.origin)
