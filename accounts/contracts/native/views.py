"""The operations of the native contract."""

from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q

from accounts import errors
from accounts.contracts.native import contract, filters, tokens, wire
from accounts.contracts.operations import PASSWORD_ERRORS, operation
from accounts.contracts.viewsets import AdministratorViewSet, ContractViewSet
from accounts.models import Channel, EndReason, Session, User
from accounts.policies import active_profile
from accounts.services import (
    contacts,
    identifiers,
    listings,
    passwords,
    profile,
    recovery,
    registration,
    sessions,
    sign_in,
    users,
)
from audit.models import LoginAttempt


class NativeViewSet(ContractViewSet):
    contract = contract.CONTRACT
    error_response = wire.Problem


class RegistrationViewSet(NativeViewSet):
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


class SignInViewSet(NativeViewSet):
    public = frozenset({"login", "refresh"})

    @operation(request=wire.Login, response=wire.LoginAnswer, errors=PASSWORD_ERRORS)
    def login(self, data: dict[str, Any]) -> dict[str, Any]:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` has the seconds. Only after a correct
        password does the response say that the account is disabled or waits for approval.
        """
        session = sign_in.sign_in(
            identifier=identifiers.any_of_three(data["username"]),
            password=data["password"],
            policy=tokens.SESSION,
            origin=self.origin,
        )
        return {**tokens.token_pair(session), "user": session.user}

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
        """Return the current user."""
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


class RecoveryViewSet(NativeViewSet):
    public = frozenset({"request_code", "reset_password"})

    @operation(request=wire.Contact, response=wire.CodeAnswer, errors=(errors.TooManyCodes, errors.Overloaded))
    def request_code(self, data: dict[str, Any]) -> dict[str, Any]:
        """Send a code for a new password.

        The response is the same whether or not the account exists, has this contact and is sent a code there. An
        account is sent at most one code a minute and ten a day. A contact that is not verified receives none beside one
        that is verified or that an administrator has given. With the first reset by code, contacts that are neither
        become pending: see `verify`.
        """
        code = recovery.request_code(
            identifier=identifiers.any_of_three(data["identifier"]),
            channel=Channel(data["channel"]),
            contact=data["contact"],
            origin=self.origin,
        )
        return wire.sent_code(code)

    @operation(
        request=wire.PasswordReset,
        status=204,
        errors=(errors.InvalidCode, errors.TooManyAttempts, errors.Overloaded),
    )
    def reset_password(self, data: dict[str, Any]) -> None:
        """Set a new password with a code.

        Every session ends: log in next. An account accepts five wrong codes a day; a new code does not reset the count.
        """
        recovery.reset_password(
            identifier=identifiers.any_of_three(data["identifier"]),
            channel=Channel(data["channel"]),
            contact=data["contact"],
            code=data["code"],
            new=data["new_password"],
            origin=self.origin,
        )


class VerificationViewSet(NativeViewSet):
    @operation(
        request=wire.VerificationRequest,
        response=wire.CodeAnswer,
        errors=(errors.TooManyChanges, errors.TooManyCodes, errors.Overloaded),
    )
    def request_code(self, data: dict[str, Any]) -> dict[str, Any]:
        """Send a code that verifies the current user's e-mail address or phone number.

        It is sent to the pending address or number if there is one, otherwise to the current one. A contact receives at
        most one message a minute, five an hour and ten a day. Only mobile numbers of the deployment's regions receive
        text messages; any other is refused with `no_text_messages`.
        """
        channel = Channel(data["channel"])
        code = contacts.request_verification(user=self.session.user, channel=channel, origin=self.origin)
        return wire.sent_code(code)

    @operation(
        request=wire.Verification,
        response=wire.UserAnswer,
        errors=(errors.InvalidCode, errors.AlreadyTaken, errors.TooManyAttempts, errors.Overloaded),
    )
    def verify(self, data: dict[str, Any]) -> User:
        """Verify the current user's e-mail address or phone number with a code.

        A pending address or number then replaces the current one.
        """
        return contacts.verify(
            user=self.session.user, channel=Channel(data["channel"]), code=data["code"], origin=self.origin
        )


class SessionViewSet(NativeViewSet):
    queryset = Session.objects.none()

    @operation(response=wire.SessionsAnswer)
    def list(self) -> dict[str, Any]:
        """List the active sessions of the current user, the newest first."""
        is_current = ExpressionWrapper(Q(pk=self.session.pk), output_field=BooleanField())
        return self.paginate(sessions.active(user=self.session.user).annotate(current=is_current))

    @operation(status=204)
    def destroy(self, session_id: UUID) -> None:
        """End a session of the current user."""
        sessions.end_own(session_id=session_id, user=self.session.user, origin=self.origin)


class UserViewSet(NativeViewSet, AdministratorViewSet):
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter

    @operation(response=wire.UsersAnswer)
    def list(self) -> dict[str, Any]:
        """List accounts, the newest first."""
        page = self.paginate(self.queryset.all())
        self.record_listing(rows=len(page["results"]), count=page["count"])
        return page

    @operation(
        request=wire.UserCreation,
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
        request=wire.UserChanges,
        response=wire.UserAnswer,
        errors=(errors.AlreadyTaken, errors.OwnAccount, errors.LastAdministrator),
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

        The account of the request and that of the last active administrator are refused.
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

    @operation(response=wire.AttemptsAnswer)
    def list(self) -> dict[str, Any]:
        """List login attempts, the newest first."""
        return self.paginate(self.queryset.all())
