"""Disables accounts that nobody has used for DORMANT_DAYS, after a warning to administrators."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.services import dormancy
from audit.origin import CONSOLE


class Command(BaseCommand):
    help = (
        "Disables accounts without a login for DORMANT_DAYS, 14 days after it has warned administrators of them; may be"
        " interrupted and repeated at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count the accounts and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DORMANT_AFTER is None:
            self.stdout.write("DORMANT_DAYS is not set: no account is disabled.")
            return
        found = dormancy.run(dry_run=options["dry_run"], origin=CONSOLE)
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{found.warned} {would}warned of, {found.disabled} {would}disabled")
