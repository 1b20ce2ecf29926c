"""The names of events, statuses and failure reasons in the trail; a new event is added here.

Grammar of an event: `subject:[object:]verb`, lower case, the verb in the past tense. What is stored once is never
renamed; a new name is added instead.
"""

from enum import StrEnum


class Event(StrEnum):
    USER_REGISTERED = "user:registered"
    USER_CREATED = "user:created"
    USER_CHANGED = "user:changed"
    USER_DELETED = "user:deleted"
    USER_ACTIVATED = "user:activated"
    USER_DEACTIVATED = "user:deactivated"
    USER_APPROVED = "user:approved"
    USER_REJECTED = "user:rejected"
    USER_UNLOCKED = "user:unlocked"
    USER_ROLE_CHANGED = "user:role:changed"
    USER_GROUPS_CHANGED = "user:groups:changed"
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 This names an event, not a password.
    PASSWORD_RESET = "password:reset"  # noqa: S105 This too.
    PASSWORD_CREATED = "password:created"  # noqa: S105 This too.
    CODE_REQUESTED = "code:requested"
    CODE_REFUSED = "code:refused"
    CODES_LOCKED = "code:locked"
    EMAIL_VERIFIED = "email:verified"
    PHONE_VERIFIED = "phone:verified"
    CONTACT_SUSPENDED = "contact:suspended"
    FACTOR_ADDED = "second_factor:added"
    FACTOR_REMOVED = "second_factor:removed"
    RECOVERY_CODES_REPLACED = "recovery_codes:replaced"
    ACCOUNT_LOCKED = "account:locked"
    # A name that no account has.
    NAME_LOCKED = "name:locked"
    NAME_UNLOCKED = "name:unlocked"
    ADDRESS_LOCKED = "address:locked"
    ADDRESS_UNLOCKED = "address:unlocked"
    ADDRESS_SUSPECTED = "address:suspected"
    # These two are no longer written; rows of earlier releases have them.
    SESSION_REFRESHED = "session:refreshed"
    SESSION_REFRESH_REPEATED = "session:refresh:repeated"
    SESSION_REFRESH_REUSED = "session:refresh:reuse"
    SESSION_MOVED = "session:moved"
    SESSION_ADDRESS_ADDED = "session:address:added"
    SESSION_DEVICE_ADDED = "session:device:added"
    SESSION_ENDED = "session:ended"
    KEY_ROTATED = "key:rotated"
    KEY_RETIRED = "key:retired"
    KEYS_REENCRYPTED = "key:reencrypted"
    TRAIL_SEALED = "trail:sealed"
    TRAIL_EXPORTED = "trail:exported"
    STAFF_IMPORTED = "staff:imported"
    STAFF_EXPORTED = "staff:exported"
    USERS_IMPORTED = "users:imported"
    USERS_EXPORTED = "users:exported"
    PEOPLE_LISTED = "people:listed"
    RECORDS_PURGED = "records:purged"


class Status(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    # The password was right, and the client was asked for the second factor or to enrol one.
    CHALLENGED = "challenged"


class FailureReason(StrEnum):
    """Why a login failed; the error that the client gets may be less specific."""

    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 This names a reason, not a password.
    INACTIVE = "inactive"
    PENDING_APPROVAL = "pending_approval"
    LOCKED = "locked"
    WRONG_ROLE = "wrong_role"
    TOO_MANY_LOGINS = "too_many_logins"
    CHANGED_MEANWHILE = "changed_meanwhile"
    SECOND_FACTOR_MISSING = "second_factor_missing"
    SECOND_FACTOR_WRONG = "second_factor_wrong"
    SECOND_FACTOR_NOT_ENROLLED = "second_factor_not_enrolled"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 This names a reason too.
    NOT_YET_VALID = "not_yet_valid"
    ACCOUNT_EXPIRED = "account_expired"
