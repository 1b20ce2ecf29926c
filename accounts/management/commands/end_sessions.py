"""Ends the sessions of one user or of all users."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import EndReason, User
from accounts.services import sessions
from audit.origin import CONSOLE


class Command(BaseCommand):
    help = "Ends the sessions of one user or of all users, for instance after a leak or a change by SQL."

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", metavar="NAME", help="the user name")
        who.add_argument("--all", action="store_true", help="all users")
        parser.add_argument("--noinput", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            self._end_all(ask=not options["noinput"])
            return
        try:
            user = User.objects.get_by_natural_key(options["user"])
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user named {options['user']}.") from error
        count = sessions.end_all(user=user, reason=EndReason.ENDED_BY_ADMINISTRATOR, origin=CONSOLE)
        self.stdout.write(f"{count} sessions of {user} were ended.")

    def _end_all(self, *, ask: bool) -> None:
        if ask and input("All users will have to log in again. Type yes to continue: ") != "yes":
            raise CommandError("No session was ended.")
        users = User.objects.order_by("pk")
        total, count = users.count(), 0
        for number, user in enumerate(users.iterator(), start=1):
            count += sessions.end_all(user=user, reason=EndReason.ENDED_BY_ADMINISTRATOR, origin=CONSOLE)
            if number % 1000 == 0:
                self.stdout.write(f"{number} of {total} users")
        self.stdout.write(f"{count} sessions were ended.")
