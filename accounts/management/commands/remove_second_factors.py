"""Removes the second factors of a user who has lost them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services import second_factors
from audit.origin import CONSOLE


class Command(BaseCommand):
    help = (
        "Removes the second factors and recovery codes of a user who has lost them, and ends the user's sessions. For "
        "the last superuser; otherwise an administrator does this."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER", help="the user name")
        parser.add_argument("--reason", default="", help="why, for the trail")
        parser.add_argument("--noinput", "--no-input", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user named {options['username']}.") from error
        prompt = f"{user} will log in with the password alone. Type yes to continue: "
        if not options["noinput"] and input(prompt) != "yes":
            raise CommandError("No second factor was removed.")
        if not second_factors.remove_all(user=user, reason=options["reason"], actor=None, origin=CONSOLE):
            raise CommandError(f"{user} has no second factor.")
        self.stdout.write(f"The second factors of {user} were removed.")
