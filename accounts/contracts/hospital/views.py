"""The operations of the hospital contract."""

from typing import Any

from accounts import errors
from accounts.contracts.claims import SessionToken
from accounts.contracts.hospital import contract, filters, tokens, wire
from accounts.contracts.operations import LOGIN_ERRORS, PASSWORD_ERRORS, operation
from accounts.contracts.viewsets import AdministratorViewSet, ContractViewSet
from accounts.models import EndReason, Session, User
from accounts.services import identifiers, profile, registration, sessions, sign_in


class HospitalViewSet(ContractViewSet):
    contract = contract.CONTRACT
    envelope = wire.Success
    error_response = wire.Failure


class RegistrationViewSet(HospitalViewSet):
    optional = frozenset({"register"})

    @operation(
        request=wire.Registration,
        response=wire.RegistrationData,
        errors=(errors.AlreadyTaken, errors.TooManyRegistrations, errors.Overloaded),
    )
    def register(self, data: dict[str, Any]) -> dict[str, Any]:
        """Register an account.

        The response has no token: log in next. With an administrator's token the account may have any role that the
        contract names; any other token is ignored.
        """
        password = data.pop("password")
        user = registration.register_or_create(
            actor=self.actor, columns=data, password=password, roles=wire.ROLES, origin=self.origin
        )
        return {"user": user}


class SignInViewSet(HospitalViewSet):
    contract = contract.LOGIN
    public = frozenset({"login"})

    @operation(request=wire.Login, response=wire.LoginData, errors=LOGIN_ERRORS)
    def login(self, data: dict[str, Any]) -> SessionToken:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` has the seconds. The token is valid
        for a day.
        """
        return sign_in.sign_in(
            identifier=identifiers.username(data["username"]),
            password=data["password"],
            issuer=tokens.LOGIN,
            origin=self.origin,
        )


class ProfileViewSet(HospitalViewSet):
    @operation(response=wire.ProfileData)
    def retrieve(self) -> Session:
        """Return the current user.

        The account is read from the database, so a change by an administrator shows at once.
        """
        return self.session

    @operation(
        request=wire.ProfileUpdate,
        response=wire.UpdateData,
        errors=(
            errors.AlreadyTaken,
            errors.TooManyRegistrations,
            errors.TooManyChanges,
            errors.TooManyCodes,
            *PASSWORD_ERRORS,
        ),
    )
    def update(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change the current user.

        A field that is missing is not changed; null or an empty text removes the value.
        """
        password, old_password = data.pop("password", None), data.pop("old_password", None)
        user = profile.change(
            user=self.session.user,
            changes=data,
            new_password=password,
            old_password=old_password,
            origin=self.origin,
        )
        return {"user": user}

    @operation(response=wire.LogoutData)
    def logout(self) -> None:
        """End the session of this token.

        Later requests with the token are refused.
        """
        sessions.end(session=self.session, reason=EndReason.LOGOUT, origin=self.origin, actor=self.session.user)


class UserViewSet(HospitalViewSet, AdministratorViewSet):
    # Ids are given in the order of creation.
    queryset = User.objects.order_by("-id")
    filterset_class = filters.UserFilter
    pagination_class = filters.PerPagePagination
    required_permissions = {"list": "accounts.view_user"}

    @operation(response=wire.UsersData)
    def list(self) -> dict[str, Any]:
        """List the users, the newest first; for administrators.

        A page after the last is empty. That the list was read is recorded in the trail.
        """
        page = self.paginate(self.queryset.all())
        self.record_listing(rows=len(page["items"]), count=page["pagination"]["total"])
        return page
