"""The purge, without the service's time limits."""

from typing import Any

from django.db import connection

from accounts.management.commands import purge
from authsvc.configuration.maintenance import maintenance_limits


class Command(purge.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with maintenance_limits(connection):
            super().handle(*args, **options)
