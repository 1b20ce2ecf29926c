"""The operations of the native contract: registration, tokens, the own account and its sessions."""

from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.contracts.native import contract, refresh_cookie, tokens, wire
from accounts.contracts.operations import PASSWORD_ERRORS, Operation, operation
from accounts.contracts.serializers import RequestBody
from accounts.contracts.viewsets import AdministratorViewSet, ContractViewSet
from accounts.models import EndReason, Session, User
from accounts.policies import active_profile
from accounts.services import passwords, profile, registration, sessions

# How a request with `X-Refresh-Cookie` that needs the cookie can fail before the token in it is looked at.
_COOKIE_ERRORS: Final = (errors.RefreshCookieMissing, errors.OriginNotAllowed)


def with_current(rows: QuerySet[Session], session: Session) -> QuerySet[Session]:
    """Return sessions, each with whether it is that of the request."""
    return rows.annotate(current=ExpressionWrapper(Q(pk=session.pk), output_field=BooleanField()))


class NativeViewSet(ContractViewSet):
    contract = contract.CONTRACT
    area = "account"
    error_response = wire.Problem


class NativeAdministratorViewSet(NativeViewSet, AdministratorViewSet):
    area = "administration"


class TokensViewSet(NativeViewSet):
    """The base of views that return or read a refresh token, in the body or in the cookie."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A wrong method and a missing token are reported first, as without the header.
        if self.action and refresh_cookie.is_chosen(request):
            refresh_cookie.require_allowed_origin(request)

    def respond(self, operation: Operation, result: Any) -> Response:
        response = super().respond(operation, result)
        if refresh_cookie.is_chosen(self.request) and response.data and "refresh_token" in response.data:
            refresh_cookie.move_token(self.request, response)
        return response


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


class TokenViewSet(TokensViewSet):
    area = "login"
    public = frozenset({"refresh"})

    def get_authenticators(self) -> list[BaseAuthentication]:
        # Here `self.request` is Django's: REST framework is about to make its own.
        by_cookie = self.action_map.get((self.request.method or "").lower()) == "logout"
        if by_cookie and refresh_cookie.is_chosen(self.request):
            return [refresh_cookie.RefreshCookieAuthentication(self.contract)]
        return super().get_authenticators()

    def parse(self, body: type[RequestBody]) -> dict[str, Any]:
        if refresh_cookie.is_chosen(self.request):
            return {"refresh_token": refresh_cookie.token_of(self.request)}
        return super().parse(body)

    def respond(self, operation: Operation, result: Any) -> Response:
        response = super().respond(operation, result)
        if self.action != "refresh" and refresh_cookie.is_chosen(self.request):
            refresh_cookie.delete(self.request, response)
        return response

    @operation(
        request=wire.Refresh,
        response=wire.TokensAnswer,
        errors=(
            errors.TokenInvalid,
            errors.TokenExpired,
            errors.SessionEnded,
            errors.UserGone,
            errors.TokenReused,
            *_COOKIE_ERRORS,
        ),
        headers=("Set-Cookie",),
        request_headers=("X-Refresh-Cookie",),
    )
    def refresh(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the next pair of tokens.

        A refresh token can be used once. For a few seconds it returns the same pair again, for a second browser tab or
        a client that lost the response. Used after that, it ends the session, because it may have been stolen. With
        `X-Refresh-Cookie` it is read from the cookie, and the body is not read.
        """
        return tokens.token_pair(tokens.refresh(data["refresh_token"], self.origin))

    @operation(status=204, errors=_COOKIE_ERRORS, headers=("Set-Cookie",), request_headers=("X-Refresh-Cookie",))
    def logout(self) -> None:
        """End the session of this token.

        Later requests with the tokens of the session are refused. With `X-Refresh-Cookie` the session is that of the
        cookie, which is deleted, and no access token is needed.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)

    @operation(
        status=204,
        errors=(errors.OriginNotAllowed,),
        headers=("Set-Cookie",),
        request_headers=("X-Refresh-Cookie",),
    )
    def logout_all(self) -> None:
        """End all sessions of the current user.

        This includes the session of this token and a login to the admin site. With `X-Refresh-Cookie` the cookie is
        deleted.
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
        return self.paginate(with_current(sessions.active(user=self.session.user), self.session))

    @operation(status=204)
    def destroy(self, session_id: UUID) -> None:
        """End a session of the current user.

        Later requests with its tokens are refused. The session of another user is answered like an unknown one.
        """
        sessions.end_own(session_id=session_id, user=self.session.user, origin=self.origin)
