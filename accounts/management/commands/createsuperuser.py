from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from accounts.models import User
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import CONSOLE
from audit.record import record


class Command(createsuperuser.Command):
    help = "Creates a superuser of role admin, and says so in the trail."

    def handle(self, *args: Any, **options: Any) -> None:
        def work() -> None:
            newest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            super(Command, self).handle(*args, **options)
            for user in User.objects.filter(pk__gt=newest, is_superuser=True):
                record(SecurityEvent.of(CONSOLE, Event.USER_CREATED, user_id=user.pk, role=user.role, superuser=True))

        atomically(work)
