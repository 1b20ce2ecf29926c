"""When a program that must always run was last seen."""

from django.db import models
from django.utils import timezone

# The name of `manage.py deliver`; its workers share one row.
DELIVERY = "deliver"


class Heartbeat(models.Model):
    """One row for each kind of program, which its processes write every half minute."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
