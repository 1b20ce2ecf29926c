"""Creates a superuser of role admin and records it."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management import CommandError
from django.db import IntegrityError, transaction

from accounts.management import first_login
from accounts.models import User
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import CONSOLE
from audit.record import record


class Command(createsuperuser.Command):
    help = "Creates a superuser with the role admin, and records it in the audit trail."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # User names are unique in their canonical form, which the command looks up.
        self.username_is_unique = True

    def handle(self, *args: Any, **options: Any) -> None:
        newest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        try:
            # Outside a transaction: the command waits for input.
            super().handle(*args, **options)
        except IntegrityError as error:
            raise CommandError("Another account already has this user name or e-mail address.") from error
        created = list(User.objects.filter(pk__gt=newest, is_superuser=True))
        with transaction.atomic():
            record(
                *(
                    SecurityEvent.of(CONSOLE, Event.USER_CREATED, user_id=user.pk, role=user.role, superuser=True)
                    for user in created
                )
            )
        for user in created:
            if text := first_login.notice(user.role):
                self.stdout.write(text)
