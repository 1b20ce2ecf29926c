"""Hashes of the passwords that an account had before its present one."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.user import PASSWORD_LENGTH


class FormerPassword(models.Model):
    """A former password of one account, hashed as it was while it was in use; kept only with PASSWORD_HISTORY."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="former_passwords")
    encoded = models.CharField(max_length=PASSWORD_LENGTH, editable=False)
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"former password {self.pk}"
