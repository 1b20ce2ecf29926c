"""The logins of the native contract: by password, by password and second factor, and by a passkey alone."""

from typing import Any, Final

from accounts import errors
from accounts.contracts.base import ErrorClass
from accounts.contracts.native import factor_wire, tokens, wire
from accounts.contracts.native.views import TokensViewSet
from accounts.contracts.operations import LOGIN_ERRORS, PASSWORD_ERRORS, operation
from accounts.policies import active_profile
from accounts.services import identifiers, passkeys, passwords, second_step, sign_in
from accounts.services.factor_check import FactorStep

_TOKEN_ERRORS: Final[tuple[ErrorClass, ...]] = (errors.TokenInvalid, errors.TokenExpired)


class LoginViewSet(TokensViewSet):
    area = "login"
    public = frozenset(
        {"login", "second_factor_options", "second_factor", "passkey_options", "passkey", "change_password"}
    )
    error_responses = {403: factor_wire.LoginProblem}

    @operation(
        request=wire.Login,
        response=wire.LoginAnswer,
        errors=(
            *LOGIN_ERRORS,
            errors.InvalidSecondFactor,
            errors.SecondFactorRequired,
            errors.SecondFactorEnrollmentRequired,
            errors.OriginNotAllowed,
        ),
        headers=("Set-Cookie",),
        request_headers=("X-Refresh-Cookie",),
    )
    def login(self, data: dict[str, Any]) -> dict[str, Any]:
        """Log in.

        Too many wrong passwords lock the account for this address; `Retry-After` has the seconds. Only after a correct
        password does the response say that the account is disabled, waits for approval or has a second factor. The code
        of a second factor is sent in `otp`, or in the next step: see `login/second-factor`. An account that must have a
        second factor and has none gets an `mfa_token` that as bearer token adds one: see `mfa/totp` and `mfa/webauthn`.
        Where passwords expire, an expired one gets a `password_token`: see `login/change-password`.
        """
        return sign_in.sign_in(
            identifier=identifiers.any_of_three(data["username"]),
            password=data["password"],
            issuer=tokens.LOGIN,
            origin=self.origin,
            step=FactorStep.SEPARATE,
            code=data.get("otp"),
        )

    @operation(request=factor_wire.LoginToken, response=factor_wire.RequestOptionsAnswer, errors=_TOKEN_ERRORS)
    def second_factor_options(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the WebAuthn options for the second step of a login.

        Give them to `navigator.credentials.get`, and send what it returns to `login/second-factor`. They are valid as
        long as the `mfa_token`.
        """
        return {"publicKey": second_step.options(token=data["mfa_token"], origin=self.origin)}

    @operation(
        request=factor_wire.SecondStep,
        response=wire.LoginAnswer,
        errors=(*LOGIN_ERRORS, errors.InvalidSecondFactor, *_TOKEN_ERRORS, errors.OriginNotAllowed),
        headers=("Set-Cookie",),
        request_headers=("X-Refresh-Cookie",),
    )
    def second_factor(self, data: dict[str, Any]) -> dict[str, Any]:
        """Complete a login with a second factor.

        The `mfa_token` is that of the `second_factor_required` of `login`. It is valid for one login and for five
        minutes, until the password changes. Wrong second factors count like wrong passwords.
        """
        return second_step.complete(
            token=data["mfa_token"],
            answer=factor_wire.answer_of(data),
            issuer=tokens.LOGIN,
            origin=self.origin,
        )

    @operation(
        request=wire.ExpiredPasswordChange,
        status=204,
        errors=(*_TOKEN_ERRORS, errors.TooManyChanges, errors.Overloaded),
    )
    def change_password(self, data: dict[str, Any]) -> None:
        """Replace an expired password.

        The `password_token` is that of the `password_expired` of `login` or `login/second-factor`. It is valid for one
        change and for five minutes. Every session ends: log in next.
        """
        passwords.change_expired(
            token=data["password_token"],
            new=data["new_password"],
            rule=active_profile().native_change,
            origin=self.origin,
        )

    @operation(response=factor_wire.RequestOptionsAnswer)
    def passkey_options(self) -> dict[str, Any]:
        """Return the WebAuthn options for a login with a passkey alone.

        Give them to `navigator.credentials.get`, and send what it returns to `login/passkey`. They are valid for five
        minutes.
        """
        return {"publicKey": passkeys.options()}

    @operation(
        request=factor_wire.PasskeyLogin,
        response=wire.LoginAnswer,
        errors=(*PASSWORD_ERRORS, errors.OriginNotAllowed),
        headers=("Set-Cookie",),
        request_headers=("X-Refresh-Cookie",),
    )
    def passkey(self, data: dict[str, Any]) -> dict[str, Any]:
        """Log in with a passkey alone.

        It must be discoverable, and its authenticator must verify the user. Each challenge is valid for one login.
        """
        return passkeys.sign_in(credential=data["credential"], issuer=tokens.LOGIN, origin=self.origin)
