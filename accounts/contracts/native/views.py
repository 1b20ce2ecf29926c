from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.base import AdministratorsOnly, ContractViewSet
from accounts.contracts.native import contract, filters, wire
from accounts.contracts.schema import PROOF, documented
from accounts.models import Channel, EndReason, Session, User
from accounts.policies import active_profile
from accounts.services import (
    addresses,
    identifiers,
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
    error_shape = wire.Problem


class RegistrationViewSet(NativeViewSet):
    public = frozenset({"register"})

    @documented(
        takes=wire.Registration,
        answers=wire.UserAnswer,
        status=201,
        outcomes=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, request: Request) -> Response:
        """Register an account.

        No token comes with the account: log in next. One address may register a limited number of accounts an hour.
        """
        columns = self.read(wire.Registration)
        password = columns.pop("password")
        user = registration.register(columns=columns, password=password, roles=contract.ROLES, origin=self.origin)
        return self.answer(wire.user_out(user), status=201)


class SignInViewSet(NativeViewSet):
    public = frozenset({"login", "refresh"})

    @documented(takes=wire.Login, answers=wire.LoginAnswer, outcomes=PROOF)
    def login(self, request: Request) -> Response:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` says how long. That an account is
        disabled or waits for approval is told only after a right password.
        """
        given = self.read(wire.Login)
        session = sign_in.sign_in(
            identifier=identifiers.any_of_three(given["username"]),
            password=given["password"],
            policy=contract.SESSION,
            origin=self.origin,
        )
        return self.answer({**contract.token_pair(session), "user": wire.user_out(session.user)})

    @documented(
        takes=wire.Refresh,
        answers=wire.TokensAnswer,
        outcomes=(
            errors.TokenInvalid,
            errors.TokenExpired,
            errors.SessionEnded,
            errors.UserGone,
            errors.TokenReused,
        ),
    )
    def refresh(self, request: Request) -> Response:
        """Get the next pair of tokens.

        A refresh token serves once. For a few seconds it gives the same successor again, for two tabs or a lost answer;
        used again after that it ends the session, because somebody has a copy.
        """
        session = contract.refresh(self.read(wire.Refresh)["refresh_token"], self.origin)
        return self.answer(contract.token_pair(session))

    @documented(status=204)
    def logout(self, request: Request) -> Response:
        """End the session of this token.

        The very next request with its tokens is refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)
        return self.answer(None, status=204)

    @documented(status=204)
    def logout_all(self, request: Request) -> Response:
        """End all of one's sessions.

        This one ends too, and so does a login at the admin site.
        """
        user = self.session.user
        sessions.end_all(user=user, reason=EndReason.LOGOUT, origin=self.origin, actor=user)
        return self.answer(None, status=204)


class MeViewSet(NativeViewSet):
    @documented(answers=wire.UserAnswer)
    def retrieve(self, request: Request) -> Response:
        """Tell who the caller is."""
        return self.answer(wire.user_out(self.session.user))

    @documented(
        takes=wire.OwnChangesAndProof,
        answers=wire.UserAnswer,
        outcomes=(errors.AlreadyTaken, errors.TooManyCodes, *PROOF),
    )
    def partial_update(self, request: Request) -> Response:
        """Change one's own account.

        What is left out stays as it is. In the hardened profile a new `email` or `phone` wants `old_password` and
        waits, as `pending_email` or `pending_phone`, for the code that is sent to it: see `verify`.
        """
        changes = self.read(wire.OwnChangesAndProof)
        old_password = changes.pop("old_password", None)
        user = profile.change(user=self.session.user, changes=changes, old_password=old_password, origin=self.origin)
        return self.answer(wire.user_out(user))

    @documented(
        takes=wire.PasswordChange,
        status=204,
        outcomes=PROOF,
    )
    def change_password(self, request: Request) -> Response:
        """Change one's own password.

        Every session ends, this one too: log in again.
        """
        given = self.read(wire.PasswordChange)
        passwords.change(
            user=self.session.user,
            old=given["old_password"],
            new=given["new_password"],
            rule=active_profile().native_change,
            origin=self.origin,
        )
        return self.answer(None, status=204)


class RecoveryViewSet(NativeViewSet):
    public = frozenset({"request_code", "reset_password"})

    @documented(takes=wire.Contact, answers=wire.CodeAnswer, outcomes=(errors.TooManyCodes, errors.Overloaded))
    def request_code(self, request: Request) -> Response:
        """Have a code for a new password sent.

        The answer is the same whether or not there is such an account and it is reached there. One code a minute and
        ten a day are sent for an account.
        """
        given = self.read(wire.Contact)
        code = recovery.request_code(
            identifier=identifiers.any_of_three(given["identifier"]),
            channel=Channel(given["channel"]),
            contact=given["contact"],
            origin=self.origin,
        )
        return self.answer(wire.code_out(code))

    @documented(
        takes=wire.PasswordReset,
        status=204,
        outcomes=(errors.InvalidCode, errors.TooManyAttempts, errors.Overloaded),
    )
    def reset_password(self, request: Request) -> Response:
        """Set a new password, with the code that came.

        Every session ends: log in next. An account takes five wrong codes a day; a new code gives no more tries.
        """
        given = self.read(wire.PasswordReset)
        recovery.reset_password(
            identifier=identifiers.any_of_three(given["identifier"]),
            channel=Channel(given["channel"]),
            contact=given["contact"],
            code=given["code"],
            new=given["new_password"],
            origin=self.origin,
        )
        return self.answer(None, status=204)


class VerificationViewSet(NativeViewSet):
    @documented(
        takes=wire.VerificationRequest,
        answers=wire.CodeAnswer,
        outcomes=(errors.TooManyCodes, errors.Overloaded),
    )
    def request_code(self, request: Request) -> Response:
        """Have a code sent that proves one's e-mail address or phone number.

        It goes to the one that waits to be confirmed, or else to the present one.
        """
        channel = Channel(self.read(wire.VerificationRequest)["channel"])
        code = addresses.request_verification(user=self.session.user, channel=channel, origin=self.origin)
        return self.answer(wire.code_out(code))

    @documented(
        takes=wire.Verification,
        answers=wire.UserAnswer,
        outcomes=(errors.InvalidCode, errors.AlreadyTaken, errors.TooManyAttempts, errors.Overloaded),
    )
    def verify(self, request: Request) -> Response:
        """Prove one's e-mail address or phone number, with the code that came.

        One that waited to be confirmed becomes the account's own.
        """
        given = self.read(wire.Verification)
        user = addresses.verify(
            user=self.session.user, channel=Channel(given["channel"]), code=given["code"], origin=self.origin
        )
        return self.answer(wire.user_out(user))


class SessionViewSet(NativeViewSet):
    """The caller's own sessions."""

    queryset = Session.objects.none()

    @documented(answers=wire.SessionsAnswer)
    def list(self, request: Request) -> Response:
        """List one's own sessions that are going, the newest first."""
        rows = sessions.active(user=self.session.user)
        return self.listed(rows, lambda row: wire.session_out(row, self.session))

    @documented(status=204)
    def destroy(self, request: Request, session_id: UUID) -> Response:
        """End one of one's own sessions."""
        sessions.end_own(session_id=session_id, user=self.session.user, origin=self.origin)
        return self.answer(None, status=204)


class UserViewSet(NativeViewSet, AdministratorsOnly):
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter

    @documented(answers=wire.UsersAnswer)
    def list(self, request: Request) -> Response:
        """List accounts, the newest first."""
        return self.listed(self.queryset.all(), wire.user_out)

    @documented(
        takes=wire.UserCreation,
        answers=wire.UserAnswer,
        status=201,
        outcomes=(errors.AlreadyTaken, errors.Overloaded),
    )
    def create(self, request: Request) -> Response:
        """Create an account, of any role."""
        columns = self.read(wire.UserCreation)
        password = columns.pop("password")
        user = users.create(columns=columns, password=password, origin=self.origin, actor=self.session.user)
        return self.answer(wire.user_out(user), status=201)

    @documented(answers=wire.UserAnswer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        """Show an account."""
        return self.answer(wire.user_out(users.find(user_id=user_id)))

    @documented(
        takes=wire.UserChanges,
        answers=wire.UserAnswer,
        outcomes=(errors.AlreadyTaken, errors.OwnAccount, errors.LastAdministrator),
    )
    def partial_update(self, request: Request, user_id: int) -> Response:
        """Change an account.

        What is left out stays as it is. A new role ends the account's sessions; only a superuser changes a superuser.
        """
        return self._change(user_id, self.read(wire.UserChanges))

    @documented(answers=wire.UserAnswer)
    def activate(self, request: Request, user_id: int) -> Response:
        """Let a disabled account log in again."""
        return self._change(user_id, {"is_active": True})

    @documented(answers=wire.UserAnswer, outcomes=(errors.OwnAccount, errors.LastAdministrator))
    def deactivate(self, request: Request, user_id: int) -> Response:
        """Disable an account, which ends its sessions. Not your own, and not the last active administrator's."""
        return self._change(user_id, {"is_active": False})

    @documented(answers=wire.UserAnswer)
    def approve(self, request: Request, user_id: int) -> Response:
        """Approve an account that waits for it."""
        return self._change(user_id, {"awaits_approval": False})

    @documented(answers=wire.UserAnswer)
    def unlock(self, request: Request, user_id: int) -> Response:
        """Forget an account's failed logins, so that its owner may try again at once."""
        user = users.find(user_id=user_id)
        users.unlock(user=user, actor=self.session.user, origin=self.origin)
        return self.answer(wire.user_out(user))

    def _change(self, user_id: int, changes: dict[str, Any]) -> Response:
        user = users.change(
            user=users.find(user_id=user_id), changes=changes, actor=self.session.user, origin=self.origin
        )
        return self.answer(wire.user_out(user))


class LoginAttemptViewSet(NativeViewSet, AdministratorsOnly):
    queryset = LoginAttempt.objects.order_by("-id")
    filterset_class = filters.LoginAttemptFilter

    @documented(answers=wire.AttemptsAnswer)
    def list(self, request: Request) -> Response:
        """List attempts to log in, the newest first."""
        return self.listed(self.queryset.all(), wire.attempt_out)


class NotFoundViewSet(NativeViewSet):
    """Answers every path of the mount that nothing else answers."""

    schema = None
    public = frozenset({"nothing"})

    def nothing(self, request: Request) -> Response:
        raise Http404
