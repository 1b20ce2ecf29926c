"""Queued messages, stored encrypted."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import names

ERROR_LENGTH = 200


class Channel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    PHONE = "phone", pgettext_lazy("message channel", "phone")


class Kind(models.TextChoices):
    """What a message is about; its templates have this name."""

    RESET_CODE = "reset_code", _("password reset code")
    ACTIVATION = "activation", _("account activation")
    VERIFICATION_CODE = "verification_code", _("contact verification code")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    PASSWORD_RESET = "password_reset", _("password reset")
    PASSWORD_CREATED = "password_created", _("first password set")
    NEW_ADDRESS = "new_address", _("login from a new address")
    NEW_DEVICE = "new_device", _("login from a new device")
    EMAIL_CHANGED = "email_changed", _("e-mail address changed")
    PHONE_CHANGED = "phone_changed", _("phone number changed")
    FACTOR_ADDED = "second_factor_added", _("second factor added")
    FACTOR_REMOVED = "second_factor_removed", _("second factor removed")
    RECOVERY_CODE_USED = "recovery_code_used", _("recovery code used")
    RECOVERY_CODES_REPLACED = "recovery_codes_replaced", _("recovery codes replaced")
    REGISTRATION_APPROVED = "registration_approved", _("registration approved")
    REGISTRATION_REJECTED = "registration_rejected", _("registration rejected")
    DORMANT_ACCOUNTS = "dormant_accounts", _("dormant accounts")


CODES = frozenset({Kind.RESET_CODE, Kind.VERIFICATION_CODE})


class State(models.TextChoices):
    """queued → claimed → sending → delivered, unknown, or queued again; dead once it expires undelivered."""

    QUEUED = "queued", _("queued")
    CLAIMED = "claimed", _("claimed")
    SENDING = "sending", _("sending")
    DELIVERED = "delivered", _("delivered")
    UNKNOWN = "unknown", _("delivery unknown")
    DEAD = "dead", _("delivery failed")


class Message(models.Model):
    """A message to one person, written in the transaction that caused it and delivered outside the request."""

    # Neither a deleted user nor a lock on a user's row may stand in a delivery's way.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    address = models.CharField(_("address"), max_length=names.EMAIL_LENGTH)
    kind = models.CharField(_("kind"), max_length=30, choices=Kind)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    # The values of its template, encrypted; blank once it is delivered or expired.
    # The column keeps the name that the release before this one reads.
    encrypted = models.TextField(editable=False, db_column="sealed")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    next_try_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    lease_until = models.DateTimeField(_("claimed until"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=ERROR_LENGTH, blank=True)
    delivered_at = models.DateTimeField(pgettext_lazy("time of an event", "delivered"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering: ClassVar = ["-id"]
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at"], name="message_due"),
            models.Index(fields=["user", "-id"], name="message_user"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} → {names.masked(self.address)}"
