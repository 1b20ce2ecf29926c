"""The trail's vocabulary.

Grammar of an event: `subject:[object:]verb`, lower case, the verb in the past tense. What is stored once is never
renamed; a new name is added instead. What people read instead is its label, in their language.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Event(TextChoices):
    USER_REGISTERED = "user:registered", _("registered")
    USER_CREATED = "user:created", _("account created")
    USER_CHANGED = "user:changed", _("account changed")
    USER_DELETED = "user:deleted", _("account deleted")
    USER_ACTIVATED = "user:activated", _("account enabled")
    USER_DEACTIVATED = "user:deactivated", _("account disabled")
    USER_APPROVED = "user:approved", _("account approved")
    USER_UNLOCKED = "user:unlocked", _("account unlocked")
    USER_ROLE_CHANGED = "user:role:changed", _("role changed")
    PASSWORD_CHANGED = "password:changed", _("password changed")
    PASSWORD_RESET = "password:reset", _("password reset")
    CODE_REQUESTED = "code:requested", _("code requested")
    CODE_REFUSED = "code:refused", _("wrong code")
    CODES_LOCKED = "code:locked", _("codes locked")
    EMAIL_VERIFIED = "email:verified", _("e-mail address confirmed")
    PHONE_VERIFIED = "phone:verified", _("phone number confirmed")
    ACCOUNT_LOCKED = "account:locked", _("account locked")
    ADDRESS_LOCKED = "address:locked", _("address locked")
    SESSION_REFRESHED = "session:refreshed", _("session renewed")
    SESSION_REFRESH_REPEATED = "session:refresh:repeated", _("session renewed again at once")
    SESSION_REFRESH_REUSED = "session:refresh:reuse", _("spent token used again")
    SESSION_ENDED = "session:ended", _("session ended")
    KEY_ROTATED = "key:rotated", _("signing key changed")
    KEY_RETIRED = "key:retired", _("signing key retired")


class Status(TextChoices):
    SUCCESS = "success", _("success")
    FAILED = "failed", _("failed")


class FailureReason(TextChoices):
    """Why a login failed; what the client is told may say less."""

    UNKNOWN_USER = "unknown_user", _("no such user")
    WRONG_PASSWORD = "wrong_password", _("wrong password")
    INACTIVE = "inactive", _("account disabled")
    PENDING_APPROVAL = "pending_approval", _("awaits approval")
    LOCKED = "locked", _("locked")
    WRONG_ROLE = "wrong_role", _("role may not come in here")
    CHANGED_MEANWHILE = "changed_meanwhile", _("account changed meanwhile")
