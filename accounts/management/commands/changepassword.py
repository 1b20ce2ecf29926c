"""Gives an account a new password, which is typed twice."""

import getpass
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import InvalidCredentials, InvalidInput, Overloaded
from accounts.models import User
from accounts.services import passwords
from audit.origin import CONSOLE

_TRIES: Final = 3


class Command(BaseCommand):
    help = (
        "Gives an account a new password, which is asked for twice. The rules are those of every other change: it ends"
        " the sessions of the account, is recorded, and is told to the user."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER", help="the user name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user named {options['username']}.") from error
        for _ in range(_TRIES):
            if wrong := self._change(user):
                self.stderr.write(wrong)
                continue
            self.stdout.write(f"The password of {user} was changed; all sessions of this account have ended.")
            return
        raise CommandError("The password was not changed.")

    def _change(self, user: User) -> str:
        """Ask for a password and store it; return what is wrong with it, or nothing."""
        password = getpass.getpass("New password: ")
        if getpass.getpass("New password (again): ") != password:
            return "The two entries differ."
        try:
            passwords.replace_by_console(user=user, password=password, origin=CONSOLE)
        except InvalidInput as error:
            return "\n".join(str(problem.detail) for found in error.errors.values() for problem in found)
        except InvalidCredentials as error:
            raise CommandError(f"Somebody else has changed {user} meanwhile; the password was not changed.") from error
        except Overloaded as error:
            raise CommandError("The service is busy; the password was not changed. Try again.") from error
        return ""
