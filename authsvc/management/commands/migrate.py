"""Django's migrate, without the service's time limits, and repeated where a lock is held for long."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections

from accounts.transactions import is_lock_timeout
from authsvc.configuration.maintenance import LOCK_PAUSES, maintenance_limits


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with maintenance_limits(connection):
            # PostgreSQL takes back a migration that fails; MariaDB's backend repeats the statement.
            for pause in LOCK_PAUSES:
                try:
                    super().handle(*args, **options)
                    return
                except OperationalError as error:
                    if not is_lock_timeout(error):
                        raise
                self.stderr.write(f"Another transaction holds a lock that the migration needs; again in {pause} s.")
                time.sleep(pause)
            super().handle(*args, **options)
