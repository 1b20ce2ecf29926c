"""The request and response bodies of the native contract's operations with second factors."""

from typing import Any, Final

from rest_framework import serializers

from accounts.contracts.fields import FactorCode, Password, StrictCharField, TotpCode, UnvalidatedJSONObject
from accounts.contracts.native.wire import Problem
from accounts.contracts.serializers import RequestBody, ResponseBody
from accounts.models import FactorType
from accounts.models.second_factor import NAME_LENGTH
from accounts.policies import MFA_TOKEN_LIFE, RECOVERY_CODES
from accounts.services.second_factors import Enrollment
from accounts.services.second_step import SubmittedAssertion, SubmittedCode

_ANY_CODE: Final = "Six digits of the authenticator app, or a recovery code."
_SHOWN_ONCE: Final = f"{RECOVERY_CODES} codes, each valid once in place of a second factor; they are shown once."
_CREDENTIAL_ID: Final = "OT8nHqIV3cfKqzCmVz1gk9mWX1v3xJXGXQxkT0yH3lE"
_CHALLENGE: Final = "u3XkB9m1tqjQ8cYw0d4mXQAAAABrhV0kY3q7oXb1nq7Qd1m7v8cG5zS0mS2sXvYxJtq0aVh5b2s"
_TIMEOUT_MS: Final = int(MFA_TOKEN_LIFE.total_seconds() * 1000)


class LoginToken(RequestBody):
    mfa_token = StrictCharField(help_text="The `mfa_token` of `second_factor_required`.")

    example = {"mfa_token": "eyJhbGciOiJIUzI1NiIs…"}


class SecondStep(LoginToken):
    method = serializers.ChoiceField(choices=FactorType.values, help_text="One of the `methods` of the same response.")
    code = FactorCode(required=False, help_text=f"{_ANY_CODE} Not with `webauthn`.")
    credential = UnvalidatedJSONObject(
        required=False,
        help_text="`AuthenticationResponseJSON` for the options of `login/second-factor/options`; with `webauthn`.",
    )

    example = {**LoginToken.example, "method": "totp", "code": "048213"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = "credential" if attrs["method"] == FactorType.WEBAUTHN else "code"
        if needed not in attrs:
            raise serializers.ValidationError({needed: self.fields[needed].error_messages["required"]}, code="required")
        return attrs


def answer_of(data: dict[str, Any]) -> SubmittedCode | SubmittedAssertion:
    """Return the second factor in the fields of a `SecondStep`."""
    if data["method"] == FactorType.WEBAUTHN:
        return SubmittedAssertion(data["credential"])
    return SubmittedCode(data["code"])


class PasskeyLogin(RequestBody):
    credential = UnvalidatedJSONObject(
        help_text="`AuthenticationResponseJSON` for the options of `login/passkey/options`."
    )

    example = {
        "credential": {
            "id": _CREDENTIAL_ID,
            "rawId": _CREDENTIAL_ID,
            "type": "public-key",
            "response": {
                "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0Iiwi…",
                "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2M…",
                "signature": "MEUCIQDk3…",
                "userHandle": "4f3Zq1Y2…",
            },
            "clientExtensionResults": {},
        }
    }


class CurrentPassword(RequestBody):
    password = Password(help_text="The current password.")

    example = {"password": "Ward-7-by-the-lake"}


class TotpConfirmation(RequestBody):
    code = TotpCode(help_text="Six digits of the new authenticator app.")

    example = {"code": "048213"}


class NewCredential(RequestBody):
    credential = UnvalidatedJSONObject(
        help_text="`RegistrationResponseJSON` for the options of `mfa/webauthn/options`."
    )
    name = StrictCharField(
        max_length=NAME_LENGTH, default="", allow_blank=True, help_text="By which the user recognizes it."
    )

    example = {
        "credential": {
            "id": _CREDENTIAL_ID,
            "rawId": _CREDENTIAL_ID,
            "type": "public-key",
            "response": {
                "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwi…",
                "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVi…",
                "transports": ["internal"],
            },
            "clientExtensionResults": {},
        },
        "name": "Laptop",
    }


class PasswordAndCode(CurrentPassword):
    code = FactorCode(help_text=_ANY_CODE)

    example = {**CurrentPassword.example, "code": "048213"}


class LoginProblem(Problem):
    """Problem details (RFC 9457), with the token for the next step of a login that needs more than a password."""

    mfa_token = serializers.CharField(
        required=False,
        help_text="With `second_factor_required` for `login/second-factor`, with `second_factor_enrollment_required` "
        "the bearer token for `mfa/totp` and `mfa/webauthn`.",
    )
    methods = serializers.ListField(
        child=serializers.ChoiceField(FactorType.values), required=False, help_text="Of `login/second-factor`."
    )
    password_token = serializers.CharField(
        required=False, help_text="With `password_expired` for `login/change-password`."
    )
    expires_in = serializers.IntegerField(required=False, help_text="Lifetime of the token in seconds.")


class RequestOptionsAnswer(ResponseBody):
    publicKey = UnvalidatedJSONObject(  # noqa: N815 The spelling of WebAuthn.
        help_text="`PublicKeyCredentialRequestOptionsJSON` of WebAuthn Level 3; binary values are base64url."
    )

    example = {
        "publicKey": {
            "challenge": _CHALLENGE,
            "timeout": _TIMEOUT_MS,
            "rpId": "auth.hospital.example",
            "allowCredentials": [{"id": _CREDENTIAL_ID, "type": "public-key", "transports": ["internal"]}],
            "userVerification": "preferred",
        }
    }


class CreationOptionsAnswer(ResponseBody):
    publicKey = UnvalidatedJSONObject(  # noqa: N815 The spelling of WebAuthn.
        help_text="`PublicKeyCredentialCreationOptionsJSON` of WebAuthn Level 3; binary values are base64url."
    )

    example = {
        "publicKey": {
            "rp": {"name": "authsvc", "id": "auth.hospital.example"},
            "user": {"id": "4f3Zq1Y2hUu9…", "name": "alice", "displayName": "Alice Zhang"},
            "challenge": _CHALLENGE,
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
            "timeout": _TIMEOUT_MS,
            "excludeCredentials": [],
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": False,
                "userVerification": "preferred",
            },
            "attestation": "none",
        }
    }


class TotpSetupAnswer(ResponseBody):
    id = serializers.IntegerField()
    secret = serializers.CharField(help_text="In base32, to be typed into the app.")
    otpauth_uri = serializers.CharField(help_text="The same for the app to open.")
    qr_svg = serializers.CharField(help_text="The same as a QR code, an SVG element.")

    example = {
        "id": 12,
        "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "otpauth_uri": "otpauth://totp/authsvc:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=authsvc",
        "qr_svg": '<svg width="180" height="180">…</svg>',
    }


class FactorAnswer(ResponseBody):
    id = serializers.IntegerField()
    type = serializers.ChoiceField([FactorType.TOTP.value, FactorType.WEBAUTHN.value])
    name = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)

    example = {"id": 12, "type": "webauthn", "name": "Laptop", "created_at": "2026-11-20T06:31:00.123456Z"}


class RecoveryCodesAnswer(ResponseBody):
    recovery_codes = serializers.ListField(child=serializers.CharField(), help_text=_SHOWN_ONCE)

    example = {"recovery_codes": ["0k3m-9xw2-7hqd", "1p8v-4tzr-2n6c"]}


class OptionalRecoveryCodes(ResponseBody):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text=f"With the first second factor of the account: {_SHOWN_ONCE}",
    )

    example = RecoveryCodesAnswer.example


class NewFactorAnswer(FactorAnswer, OptionalRecoveryCodes):
    example = {**FactorAnswer.example, **OptionalRecoveryCodes.example}


class FactorsAnswer(ResponseBody):
    factors = FactorAnswer(many=True)
    recovery_codes_left = serializers.IntegerField(help_text="How many recovery codes have not been used.")
    required = serializers.BooleanField(  # type: ignore[assignment]  # It hides the serializer's own, which is not used.
        help_text="Whether the role of the account must have a second factor."
    )

    example = {"recovery_codes_left": 10, "required": False}


def codes_of(enrolled: Enrollment) -> dict[str, Any]:
    """Return the values of a `RecoveryCodesOfFirst`."""
    return {"recovery_codes": enrolled.recovery_codes} if enrolled.recovery_codes else {}
