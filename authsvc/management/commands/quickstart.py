"""Runs a development server with demonstration accounts."""

import logging
import threading
import time
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from accounts.management import first_login
from accounts.management.commands import seed
from accounts.messaging.delivery import DeliveryWorker
from accounts.services import dormancy, purging
from audit.origin import CONSOLE

logger = logging.getLogger(__name__)

PORT = 8000
ADDRESS = f"127.0.0.1:{PORT}"
_DAY: Final = timedelta(days=1)


class Command(BaseCommand):
    help = f"Development in one command: writes .env if there is none, migrates, seeds, and serves on {ADDRESS}."
    # The database may not be there yet, and `migrate` checks by itself.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("quickstart is for development: set DEBUG=true, in .env for instance.")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed", stdout=self.stdout)
        mount = settings.CONTRACT_MOUNTS["native"]
        names = ", ".join(person["username"] for person in seed.PEOPLE)
        notices = dict.fromkeys(first_login.notice(person["role"]) for person in seed.PEOPLE)
        self.stdout.write(
            f"\n  API      http://{ADDRESS}/{mount}/login\n"
            f"  Admin    http://{ADDRESS}/admin/ (for passkeys, http://localhost:{PORT}/admin/)\n"
            f"  Accounts {names}; password {seed.PASSWORD}\n"
            "  Messages are printed here unless EMAIL_URL and SMS_URL say otherwise.\n"
            "  Stop with Ctrl-C.\n" + "".join(f"  {notice}\n" for notice in notices if notice)
        )
        self.stdout.flush()
        threading.Thread(target=DeliveryWorker().run, name="delivery", daemon=True).start()
        threading.Thread(target=purge_daily, name="purge", daemon=True).start()
        call_command("runserver", ADDRESS, use_reloader=False)


def purge_daily() -> None:
    """Remove rows that have no effect any more, and disable dormant accounts, now and every day from then on."""
    while True:
        try:
            for _batch in purging.run(names=purging.PURGES, dry_run=False, origin=CONSOLE):
                pass
            dormancy.run(dry_run=False, origin=CONSOLE)
        except DatabaseError:
            logger.warning("Expired rows were not removed; the next attempt is in a day.", exc_info=True)
        finally:
            connection.close()
        time.sleep(_DAY.total_seconds())
