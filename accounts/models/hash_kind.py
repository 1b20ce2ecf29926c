"""Kinds of password hashes, beside the default one, that accounts have."""

from typing import ClassVar

from django.db import models


class FormerHashKind(models.Model):
    """A kind of hash of a former system, and how many accounts had one when they were last counted."""

    name = models.CharField(max_length=60, primary_key=True)
    accounts = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["-accounts", "name"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.accounts}"
