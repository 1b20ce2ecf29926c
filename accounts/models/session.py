"""Sessions: one row for each login."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.origin import USER_AGENT_LENGTH, contract_choices


class EndReason(models.TextChoices):
    LOGOUT = "logout", _("logged out")
    REUSE = "reuse", _("refresh token reused")
    CREDENTIAL_CHANGED = "credential_changed", _("password, role or state changed")
    SUPERSEDED = "superseded", _("superseded by newer sessions")
    ENDED_BY_ADMINISTRATOR = "ended_by_administrator", _("ended by an administrator")


class Session(models.Model):
    """One login. Its row alone decides whether its tokens are valid."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="sessions"
    )
    # The user's stamp as it was before the password was checked: the session is active while the two are equal.
    stamp = models.CharField(max_length=32, editable=False)
    # How the user authenticated, as the values of `amr` (RFC 8176) between spaces.
    methods = models.CharField(max_length=40, default="pwd", db_default="pwd", editable=False)
    contract = models.CharField(_("contract"), max_length=20, choices=contract_choices)
    ip = models.GenericIPAddressField(_("address"), null=True)
    # Whether the user had not logged in from the address of the login before, or not for a month.
    from_new_address = models.BooleanField(_("new address"), default=False, db_default=False, editable=False)
    # Whether the device of the login was none of those that the user had last logged in from.
    from_new_device = models.BooleanField(_("new device"), default=False, db_default=False, editable=False)
    user_agent = models.CharField(_("user agent"), max_length=USER_AGENT_LENGTH, blank=True)
    created_at = models.DateTimeField(_("since"))
    last_seen_at = models.DateTimeField(_("last seen"))
    # The end if nothing renews the session; renewal moves it, but never past `latest_end_at`.
    expires_at = models.DateTimeField(_("expires"))
    latest_end_at = models.DateTimeField(_("latest end"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_reason = models.CharField(_("reason for the end"), max_length=30, blank=True, choices=EndReason)
    # Counts rotations; a refresh token is of one generation.
    generation = models.PositiveIntegerField(default=0)
    rotated_at = models.DateTimeField()
    # When these events of the session were recorded last; their number is limited by time.
    moved_at = models.DateTimeField(null=True, editable=False)
    reuse_recorded_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering: ClassVar = ["-created_at"]
        default_permissions = ("view",)
        permissions: ClassVar = [("end_session", _("Can end sessions"))]
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="session_created"),
            models.Index(fields=["user", "contract", "ended_at", "expires_at"], name="session_live"),
            # The active sessions of all users, which are few of all rows.
            models.Index(fields=["ended_at", "expires_at"], name="session_active"),
        ]

    def __str__(self) -> str:
        since = timezone.localtime(self.created_at)
        parts = (self.user.username, self.user.full_name, self.get_contract_display(), f"{since:%Y-%m-%d %H:%M}")
        return " · ".join(filter(None, parts))

    def is_active(self, now: datetime) -> bool:
        """Return whether the session is active: neither ended nor expired, and no credential changed since."""
        return self.ended_at is None and self.expires_at > now and self.stamp == self.user.stamp
