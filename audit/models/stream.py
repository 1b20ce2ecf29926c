"""How far receivers have the trail."""

from typing import ClassVar

from django.db import models


class StreamPosition(models.Model):
    """The last row of a lane that a receiver has; `destination` is a digest of its URL without credentials."""

    destination = models.CharField(max_length=64)
    lane = models.PositiveSmallIntegerField()
    last_id = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["destination", "lane"], name="stream_position_of_lane")
        ]

    def __str__(self) -> str:
        return f"lane {self.lane}: {self.last_id}"
