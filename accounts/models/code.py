"""One-time codes and links, stored hashed."""

from typing import ClassVar

from django.db import models


class Purpose(models.TextChoices):
    """What a code proves; a link serves for the first two, and for an activation there is nothing but a link."""

    RESET = "reset"
    ACTIVATION = "activation"
    EMAIL = "email"
    PHONE = "phone"


class Code(models.Model):
    """The code that was last sent for a purpose, hashed; a newer one takes its place.

    Its holder is an account (`account_id`) or, so that timing and limits are the same, a name that no
    account has (`name_digest`). It is valid while the account has the stamp that it was made under.
    """

    account_id = models.BigIntegerField(default=0)
    name_digest = models.CharField(max_length=64, default="", blank=True)
    purpose = models.CharField(max_length=10, choices=Purpose)
    encoded = models.CharField(max_length=128)
    # A keyed hash of the secret of a link that serves in place of the code; blank where there is none.
    link = models.CharField(max_length=64, default="", db_default="", blank=True)
    stamp = models.CharField(max_length=32, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "name_digest", "purpose"], name="code_holder")
        ]

    def __str__(self) -> str:
        return f"{self.account_id or self.name_digest} {self.purpose}"
