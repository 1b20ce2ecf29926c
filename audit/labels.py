"""Translatable labels for the names in `audit.events`, which are what the trail stores."""

from collections.abc import Iterable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from audit.events import Event, FailureReason, Status

EVENTS: Final[dict[Event, Promise]] = {
    Event.USER_REGISTERED: _("account registered"),
    Event.USER_CREATED: _("account created"),
    Event.USER_CHANGED: _("account changed"),
    Event.USER_DELETED: _("account deleted"),
    Event.USER_ACTIVATED: _("account activated"),
    Event.USER_DEACTIVATED: _("account deactivated"),
    Event.USER_APPROVED: _("account approved"),
    Event.USER_REJECTED: _("account rejected"),
    Event.USER_UNLOCKED: _("account unlocked"),
    Event.USER_ROLE_CHANGED: _("role changed"),
    Event.USER_GROUPS_CHANGED: _("groups changed"),
    Event.PASSWORD_CHANGED: _("password changed"),
    Event.PASSWORD_RESET: _("password reset by a code"),
    Event.PASSWORD_CREATED: _("first password set"),
    Event.CODE_REQUESTED: _("code requested"),
    Event.CODE_REFUSED: _("wrong code"),
    Event.CODES_LOCKED: _("codes locked"),
    Event.EMAIL_VERIFIED: _("e-mail address verified"),
    Event.PHONE_VERIFIED: _("phone number verified"),
    Event.CONTACT_SUSPENDED: _("unverified contact made pending"),
    Event.FACTOR_ADDED: _("second factor added"),
    Event.FACTOR_REMOVED: _("second factor removed"),
    Event.RECOVERY_CODES_REPLACED: _("recovery codes replaced"),
    Event.ACCOUNT_LOCKED: _("account locked"),
    Event.NAME_LOCKED: _("login name without an account locked"),
    Event.NAME_UNLOCKED: _("login name without an account unlocked"),
    Event.ADDRESS_LOCKED: _("IP address locked"),
    Event.ADDRESS_UNLOCKED: _("IP address unlocked"),
    Event.ADDRESS_SUSPECTED: _("suspicious IP address"),
    Event.SESSION_REFRESHED: _("session refreshed"),
    Event.SESSION_REFRESH_REPEATED: _("session refreshed again within the grace period"),
    Event.SESSION_REFRESH_REUSED: _("refresh token reused"),
    Event.SESSION_MOVED: _("session used from another address or device"),
    Event.SESSION_ADDRESS_ADDED: _("login from a new address"),
    Event.SESSION_DEVICE_ADDED: _("login from a new device"),
    Event.SESSION_ENDED: _("session ended"),
    Event.KEY_ROTATED: _("key rotated"),
    Event.KEY_RETIRED: _("key retired"),
    Event.KEYS_REENCRYPTED: _("stored secrets encrypted anew"),
    Event.TRAIL_SEALED: _("seal of the trail begun"),
    Event.TRAIL_EXPORTED: _("trail exported"),
    Event.STAFF_IMPORTED: _("staff imported"),
    Event.STAFF_EXPORTED: _("staff exported"),
    Event.USERS_IMPORTED: _("accounts of a former system imported"),
    Event.USERS_EXPORTED: _("all accounts exported"),
    Event.PEOPLE_LISTED: _("user list read"),
    Event.RECORDS_PURGED: _("expired records removed"),
}
STATUSES: Final[dict[Status, Promise]] = {
    Status.SUCCESS: _("success"),
    Status.FAILED: _("failed"),
    Status.CHALLENGED: _("second factor requested"),
}
REASONS: Final[dict[FailureReason, Promise]] = {
    FailureReason.UNKNOWN_USER: _("unknown user"),
    FailureReason.WRONG_PASSWORD: _("wrong password"),
    FailureReason.INACTIVE: _("account disabled"),
    FailureReason.PENDING_APPROVAL: _("awaits approval"),
    FailureReason.LOCKED: _("locked"),
    FailureReason.WRONG_ROLE: _("role not allowed here"),
    FailureReason.TOO_MANY_LOGINS: _("too many logins"),
    FailureReason.CHANGED_MEANWHILE: _("account changed during the login"),
    FailureReason.SECOND_FACTOR_MISSING: _("second factor missing"),
    FailureReason.SECOND_FACTOR_WRONG: _("wrong second factor"),
    FailureReason.SECOND_FACTOR_NOT_ENROLLED: _("second factor not enrolled"),
    FailureReason.PASSWORD_EXPIRED: _("password expired"),
    FailureReason.NOT_YET_VALID: _("account not yet valid"),
    FailureReason.ACCOUNT_EXPIRED: _("account no longer valid"),
}
# The types of second factors; `accounts` defines their names.
FACTORS: Final[dict[str, Promise]] = {
    "totp": _("authenticator app"),
    "webauthn": _("passkey or security key"),
    "recovery_code": _("recovery code"),
}
# What a removal of expired records has counted, and what was encrypted anew.
COUNTED: Final[dict[str, Promise]] = {
    "trail": _("audit trail"),
    "sessions": pgettext_lazy("removed records", "sessions"),
    "codes": _("codes and links"),
    "messages": _("messages"),
    "challenges": _("challenges of passkeys"),
    "unconfirmed_factors": _("unconfirmed second factors"),
    "former_passwords": _("former passwords"),
    "budgets": _("counts of attempts"),
    "admin_sessions": _("logins of the admin site"),
    "hash_kinds": _("kinds of former password hashes"),
    "signing keys": _("signing keys"),
    "totp secrets": _("secrets of authenticator apps"),
}
# What a set of signing keys signs, by the part of its name after the contract.
KEY_KINDS: Final[dict[str, Promise]] = {
    "access": _("access tokens"),
    "refresh": _("refresh tokens"),
    "mfa": _("tokens between the steps of a login"),
}


def in_a_row(items: Iterable[object]) -> str:
    """Return items in one line, with what stands between them in the reader's language."""
    return pgettext("between items", ", ").join(map(str, items))
