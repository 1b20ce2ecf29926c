"""The lanes of the trail: where each ends, where a purge has cut it off, and when all of them were verified."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KEY_NAME_LENGTH = 16


class Lane(models.Model):
    """The head of a lane: how many rows it has ever had, and the id and MAC of the last one."""

    lane = models.PositiveSmallIntegerField(primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    last_id = models.PositiveBigIntegerField(default=0)
    mac = models.BinaryField(max_length=32)
    key_name = models.CharField(max_length=KEY_NAME_LENGTH)
    seal = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"lane {self.lane}: {self.number}"


class Checkpoint(models.Model):
    """The last row of a lane that a purge has removed; the rows up to its number are gone by retention."""

    lane = models.PositiveSmallIntegerField(primary_key=True)
    number = models.PositiveBigIntegerField()
    mac = models.BinaryField(max_length=32)
    # All rows that are gone are from before `until`; the purge that says so ran at `at`.
    until = models.DateTimeField()
    at = models.DateTimeField()
    key_name = models.CharField(max_length=KEY_NAME_LENGTH)
    seal = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"lane {self.lane}: purged up to {self.number}"


class TrailCheck(models.Model):
    """One verification or anchoring of the trail."""

    class Kind(models.TextChoices):
        VERIFIED = "verified", _("verified")
        ANCHORED = "anchored", _("anchored")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    intact = models.BooleanField(_("intact"))
    # The numbers of rows, and for a verification what it found, as `trail verify --json` prints it.
    result = models.JSONField(_("result"), default=dict)
    # As of the trail's rows: whoever can write to the table cannot write a verification that never was.
    key_name = models.CharField(max_length=KEY_NAME_LENGTH, db_default="", default="", editable=False)
    seal = models.BinaryField(max_length=32, null=True)

    class Meta:
        verbose_name = _("verification of the trail")
        verbose_name_plural = _("verifications of the trail")
        ordering: ClassVar = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
