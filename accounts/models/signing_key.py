from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class SigningKey(models.Model):
    """One key of one key set, its secret part encrypted."""

    kid = models.CharField(max_length=32, primary_key=True)
    purpose = models.CharField(_("purpose"), max_length=40)
    # Two processes that make the first key at once agree on one, because only one of them gets the number.
    number = models.PositiveIntegerField()
    algorithm = models.CharField(_("algorithm"), max_length=10)
    encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering: ClassVar = ["purpose", "-number"]
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["purpose", "number"], name="signing_key_number")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.number}"
