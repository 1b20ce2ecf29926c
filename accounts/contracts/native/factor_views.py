"""The operations of the native contract on the second factors of the current user."""

from typing import Any, Final

from accounts import errors
from accounts.contracts.base import ErrorClass
from accounts.contracts.native import factor_wire
from accounts.contracts.native.authentication import EnrollmentAuth, EnrollmentAuthentication
from accounts.contracts.native.views import NativeViewSet
from accounts.contracts.operations import PASSWORD_ERRORS, operation
from accounts.models import User
from accounts.services import factor_check, second_factors

_PASSWORD_ERRORS: Final[tuple[ErrorClass, ...]] = (errors.TooManyChanges, *PASSWORD_ERRORS)
_ENROLMENT_ERRORS: Final[tuple[ErrorClass, ...]] = (errors.InvalidCode, errors.TooManyChanges, errors.Overloaded)


class EnrollmentViewSet(NativeViewSet):
    area = "second factor"
    authentication = EnrollmentAuthentication

    @property
    def user(self) -> User:
        return self.request.user  # type: ignore[return-value]  # Every operation here requires one.

    @property
    def is_first(self) -> bool:
        """Whether the account must have no second factor, because its user has not logged in."""
        return isinstance(self.request.auth, EnrollmentAuth)

    @operation(
        request=factor_wire.CurrentPassword, response=factor_wire.TotpSetupAnswer, status=201, errors=_PASSWORD_ERRORS
    )
    def begin_app(self, data: dict[str, Any]) -> second_factors.TotpSetup:
        """Begin to add an authenticator app (TOTP).

        It has no effect until `mfa/totp/{id}/confirm` gets its first code. The bearer token is an access token, or the
        `mfa_token` of `second_factor_enrollment_required`.
        """
        return second_factors.begin_app(user=self.user, password=data["password"], origin=self.origin)

    @operation(
        request=factor_wire.TotpConfirmation,
        response=factor_wire.OptionalRecoveryCodes,
        errors=(errors.NotFound, *_ENROLMENT_ERRORS),
    )
    def confirm_app(self, data: dict[str, Any], factor_id: int) -> dict[str, Any]:
        """Confirm an authenticator app with its first code.

        The first second factor of an account comes with ten recovery codes, which are shown once. The bearer token as
        for `mfa/totp`; an `mfa_token` is not valid after this: log in next.
        """
        enrolled = second_factors.confirm_app(
            user=self.user, factor_id=factor_id, code=data["code"], first=self.is_first, origin=self.origin
        )
        return factor_wire.codes_of(enrolled)

    @operation(request=factor_wire.CurrentPassword, response=factor_wire.CreationOptionsAnswer, errors=_PASSWORD_ERRORS)
    def credential_options(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the WebAuthn options for a new passkey or security key.

        They are valid for five minutes. The bearer token as for `mfa/totp`.
        """
        options = second_factors.creation_options(user=self.user, password=data["password"], origin=self.origin)
        return {"publicKey": options}

    @operation(
        request=factor_wire.NewCredential,
        response=factor_wire.NewFactorAnswer,
        status=201,
        errors=(errors.NotFound, *_ENROLMENT_ERRORS),
    )
    def add_credential(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add a passkey or a security key.

        The first second factor of an account comes with ten recovery codes, which are shown once. The bearer token as
        for `mfa/totp`; an `mfa_token` is not valid after this: log in next.
        """
        enrolled = second_factors.add_credential(
            user=self.user,
            credential=data["credential"],
            name=data["name"],
            first=self.is_first,
            origin=self.origin,
        )
        return {**factor_wire.FactorAnswer.render(enrolled.factor), **factor_wire.codes_of(enrolled)}


class FactorViewSet(NativeViewSet):
    area = "second factor"

    @operation(response=factor_wire.FactorsAnswer)
    def retrieve(self) -> dict[str, Any]:
        """Return the second factors of the current user.

        An authenticator app that is not confirmed yet is not among them.
        """
        user = self.session.user
        return {
            "factors": second_factors.in_force(user),
            "recovery_codes_left": second_factors.recovery_codes_left(user),
            "required": factor_check.is_required(user),
        }

    @operation(request=factor_wire.PasswordAndCode, status=204, errors=_PASSWORD_ERRORS)
    def destroy(self, data: dict[str, Any], factor_id: int) -> None:
        """Remove a second factor of the current user.

        The recovery codes are removed with the last one.
        """
        second_factors.remove(
            user=self.session.user,
            factor_id=factor_id,
            password=data["password"],
            code=data["code"],
            origin=self.origin,
        )

    @operation(request=factor_wire.PasswordAndCode, response=factor_wire.RecoveryCodesAnswer, errors=_PASSWORD_ERRORS)
    def replace_recovery_codes(self, data: dict[str, Any]) -> dict[str, Any]:
        """Replace the recovery codes of the current user by ten new ones, which are shown once.

        The former codes are no longer valid.
        """
        codes = second_factors.replace_recovery_codes(
            user=self.session.user, password=data["password"], code=data["code"], origin=self.origin
        )
        return {"recovery_codes": codes}
