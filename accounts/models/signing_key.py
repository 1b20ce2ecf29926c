"""Signing keys, stored encrypted."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.policies import KEY_KNOWN_EVERYWHERE


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def verifying(self, now: datetime) -> "SigningKeyQuerySet":
        """Return the keys that verify at this time."""
        return self.filter(models.Q(verifies_until=None) | models.Q(verifies_until__gt=now))


class SigningKey(models.Model):
    """One key of one key set, its secret part encrypted."""

    kid = models.CharField(max_length=32, primary_key=True)
    purpose = models.CharField(_("purpose"), max_length=40)
    # Two processes that make the first key at once agree on one, because only one of them gets the number.
    number = models.PositiveIntegerField()
    algorithm = models.CharField(_("algorithm"), max_length=10)
    encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # The longest lifetime of a token that it signs, so that a rotation need not know the tokens of the set.
    lifetime = models.DurationField()
    # None for the newest key of its set, and for that one alone.
    verifies_until = models.DateTimeField(_("verifies until"), null=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering: ClassVar = ["purpose", "-number"]
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["purpose", "number"], name="signing_key_number")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.number}"

    @property
    def signs_from(self) -> datetime:
        """Return when every node and every reader of the published keys has read it."""
        return self.created_at + KEY_KNOWN_EVERYWHERE
