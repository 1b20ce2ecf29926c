"""Runs a development server with demonstration accounts."""

import threading
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.management.commands import seed
from accounts.messaging.delivery import DeliveryWorker

ADDRESS = "127.0.0.1:8000"


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
        self.stdout.write(
            f"\n  API      http://{ADDRESS}/{mount}/login\n"
            f"  Admin    http://{ADDRESS}/admin/\n"
            f"  Accounts {names}; password {seed.PASSWORD}\n"
            "  Messages are printed here unless EMAIL_URL and SMS_URL say otherwise.\n"
            "  Stop with Ctrl-C.\n"
        )
        self.stdout.flush()
        threading.Thread(target=DeliveryWorker().run, name="delivery", daemon=True).start()
        call_command("runserver", ADDRESS, use_reloader=False)
