"""Whether messages are being delivered: when a delivery worker was last seen, and what waits for one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from accounts.models import Heartbeat, Message, State
from accounts.models.heartbeat import DELIVERY
from accounts.policies import DELIVERY_SILENCE


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """The number of messages that wait, the age of the oldest, and how long no worker has been seen (None: never)."""

    pending: int
    oldest: timedelta
    unseen_for: timedelta | None

    @property
    def is_running(self) -> bool:
        """Whether a worker was seen lately."""
        return self.unseen_for is not None and self.unseen_for <= DELIVERY_SILENCE


def beat() -> None:
    """Store that a delivery worker runs."""
    Heartbeat.objects.update_or_create(name=DELIVERY, defaults={"at": timezone.now()})


def waiting(now: datetime) -> QuerySet[Message]:
    """Return the messages that wait for delivery."""
    return Message.objects.filter(state__in=[State.QUEUED, State.CLAIMED], expires_at__gt=now)


def delivery_status(now: datetime) -> DeliveryStatus:
    """Return the status of delivery over all nodes."""
    found = waiting(now).aggregate(pending=Count("pk"), first=Min("created_at"))
    seen = Heartbeat.objects.filter(name=DELIVERY).values_list("at", flat=True).first()
    return DeliveryStatus(found["pending"], now - (found["first"] or now), now - seen if seen else None)
