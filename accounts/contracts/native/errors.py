"""The native contract's errors on the wire: status, code and text of each."""

from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import MethodNotAllowed, ParseError, UnsupportedMediaType

from accounts import errors
from accounts.contracts.base import TrailingSlash, WireError, error_table
from accounts.contracts.http_status import REASON_PHRASES
from accounts.contracts.negotiation import UnsupportedContentEncoding
from accounts.contracts.parsing import MalformedBody

ERRORS: Final = error_table(
    {
        errors.InvalidInput: WireError(400, "invalid_input", _("Some fields are missing or invalid; see errors.")),
        errors.AlreadyTaken: WireError(
            409, "already_taken", _("Another account already has one of these values; see errors.")
        ),
        errors.NotFound: WireError(404, "not_found", _("The requested resource does not exist.")),
        errors.InvalidCredentials: WireError(401, "invalid_credentials", _("The user name or the password is wrong.")),
        errors.InvalidSecondFactor: WireError(
            401, "invalid_second_factor", _("This second factor is wrong or has been used.")
        ),
        errors.SecondFactorRequired: WireError(
            403, "second_factor_required", _("Send a second factor with this mfa_token to login/second-factor.")
        ),
        errors.SecondFactorEnrollmentRequired: WireError(
            403,
            "second_factor_enrollment_required",
            _(
                "This account must have a second factor. Add one with this mfa_token as bearer token, then log in "
                "again."
            ),
        ),
        errors.AccountDisabled: WireError(
            403, "account_disabled", _("This account is disabled. Ask an administrator.")
        ),
        errors.ApprovalPending: WireError(
            403, "approval_pending", _("This account awaits an administrator's approval.")
        ),
        errors.TooManyAttempts: WireError(
            429, "too_many_attempts", _("Too many failed attempts. Wait, then try again.")
        ),
        errors.PasswordExpired: WireError(
            403,
            "password_expired",
            _("This password has expired. Send a new one with this password_token to login/change-password."),
        ),
        errors.TooManyLogins: WireError(
            429, "too_many_logins", _("Too many logins to this account. Wait, then try again.")
        ),
        errors.TooManyChanges: WireError(
            429, "too_many_changes", _("Too many changes to this account. Wait, then try again.")
        ),
        errors.TooManyRegistrations: WireError(
            429, "too_many_registrations", _("Too many accounts were registered from this address. Try again later.")
        ),
        errors.TooManyCodes: WireError(
            429, "too_many_codes", _("Too many codes were requested. Wait, then request the next one.")
        ),
        errors.InvalidCode: WireError(
            400, "invalid_code", _("This code is wrong, expired or already used. Request a new one.")
        ),
        errors.Overloaded: WireError(503, "overloaded", _("The service is busy. Try again in a moment.")),
        errors.TokenMissing: WireError(
            401, "token_missing", _("Send the access token as Authorization: Bearer <token>.")
        ),
        errors.RefreshCookieMissing: WireError(
            401, "refresh_cookie_missing", _("The request has no refresh cookie. Log in, or send the cookie.")
        ),
        errors.TokenInvalid: WireError(401, "token_invalid", _("This token is not valid here. Log in again.")),
        errors.TokenExpired: WireError(401, "token_expired", _("This token has expired. Refresh it, or log in again.")),
        errors.SessionEnded: WireError(401, "session_ended", _("This session has ended. Log in again.")),
        errors.TokenReused: WireError(
            401, "token_reused", _("This refresh token was used before, so its session has ended. Log in again.")
        ),
        errors.PermissionDenied: WireError(
            403, "permission_denied", _("Your account does not have permission to do this.")
        ),
        errors.OriginNotAllowed: WireError(
            403,
            "origin_not_allowed",
            _("Pages of this origin may not use the refresh cookie. An operator must list it in CORS_ALLOWED_ORIGINS."),
        ),
        errors.OwnAccount: WireError(
            403,
            "own_account",
            _("You cannot deactivate your own account, change its role or dates, or remove its second factors here."),
        ),
        errors.LastAdministrator: WireError(
            403, "last_administrator", _("The last active administrator cannot be deactivated or demoted.")
        ),
        errors.SeparatedDuties: WireError(
            403, "duties_separated", _("An auditor cannot have the role admin while duties are separated.")
        ),
        errors.EditConflict: WireError(
            412, "changed_meanwhile", _("The account has changed since it was read. Read it again, then repeat.")
        ),
        errors.HTTPSRequired: WireError(426, "https_required", _("This service requires HTTPS.")),
        ParseError: WireError(400, "malformed_body", _("The body is not a JSON object.")),
        SuspiciousOperation: WireError(400, "bad_request", _("The request is malformed.")),
        MethodNotAllowed: WireError(
            405, "method_not_allowed", _("This URL does not support that method; see the Allow header.")
        ),
        RequestDataTooBig: WireError(413, "body_too_large", _("The body is larger than this service accepts.")),
        TrailingSlash: WireError(404, "not_found", _("No path has a slash at its end. Remove it.")),
        UnsupportedContentEncoding: WireError(
            415, "unsupported_content_encoding", _("Send the body without compression and without Content-Encoding.")
        ),
        UnsupportedMediaType: WireError(415, "unsupported_media_type", _("Send the body as application/json.")),
        OperationalError: WireError(503, "unavailable", _("The service is unavailable. Try again in a moment.")),
        BaseException: WireError(
            500, "internal_error", _("An internal error occurred. Report it with the request id.")
        ),
    }
)


def problem_details(wire_error: WireError, error: BaseException) -> dict[str, Any]:
    """Return the problem details of an error (RFC 9457).

    `errors` has those of each invalid field; the token for the next step of a login is beside them.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": gettext(REASON_PHRASES[wire_error.status]),
        "status": wire_error.status,
        "detail": str(error.message if isinstance(error, MalformedBody) else wire_error.message),
        "code": wire_error.code,
    }
    if isinstance(error, errors.InvalidInput):
        body["errors"] = {
            field: [{"code": item.code, "detail": str(item.detail)} for item in items]
            for field, items in error.errors.items()
        }
    if isinstance(error, errors.PasswordExpired):
        body["password_token"] = error.token
        body["expires_in"] = int(error.lifetime.total_seconds())
    if isinstance(error, errors.SecondFactorRequired):
        body["mfa_token"] = error.token
        body["expires_in"] = int(error.lifetime.total_seconds())
        if error.methods:
            body["methods"] = list(error.methods)
    return body
