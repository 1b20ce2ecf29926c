"""Lists, rotates and retires the signing keys, and encrypts stored secrets anew."""

from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import SigningKey
from accounts.security.keys import contract_of, given_keys, signer_of
from accounts.services import keys
from accounts.services.reencryption import reencrypt
from audit.origin import CONSOLE

_HEADINGS = ("purpose", "kid", "algorithm", "created", "state")


def _at(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat(sep=" ", timespec="seconds")


def _state(row: SigningKey, signer: SigningKey) -> str:
    if contract_of(row.purpose) in settings.JWT_KEYS:
        return "not in use: the environment sets the key"
    if row == signer:
        return "signs"
    return f"verifies until {_at(row.verifies_until)}" if row.verifies_until else f"signs from {_at(row.signs_from)}"


class Command(BaseCommand):
    help = "Lists the keys that sign tokens, adds a key to a key set, removes an old key, or encrypts secrets anew."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="list every key with its purpose, algorithm, time of creation and state")
        rotate = actions.add_parser("rotate", help="add a key; the former one verifies until its tokens have expired")
        which = rotate.add_mutually_exclusive_group(required=True)
        which.add_argument("purpose", nargs="?", metavar="PURPOSE", help="the key set, such as native:access")
        which.add_argument("--all", action="store_true", help="every key set in the database")
        retire = actions.add_parser("retire", help="remove an old key; every token that it signed becomes invalid")
        retire.add_argument("kid", metavar="KID", help="the key's id")
        retire.add_argument("--noinput", action="store_true", help="do not ask for confirmation")
        actions.add_parser("reencrypt", help="encrypt every stored secret with SECRET_KEY, after it was changed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["action"]:
                case "list":
                    self._list(timezone.now())
                case "rotate":
                    self._rotate(options["purpose"])
                case "retire":
                    self._retire(options["kid"], ask=not options["noinput"])
                case "reencrypt":
                    self._reencrypt()
        except keys.KeyChangeRefused as error:
            raise CommandError(str(error)) from error

    def _list(self, now: datetime) -> None:
        table = [_HEADINGS]
        table += [
            (contract, key.kid, key.algorithm, "-", "from the environment") for contract, key in given_keys().items()
        ]
        for _purpose, key_set in groupby(SigningKey.objects.verifying(now), lambda row: row.purpose):
            rows = list(key_set)
            signer = signer_of(rows, now)
            table += [(row.purpose, row.kid, row.algorithm, _at(row.created_at), _state(row, signer)) for row in rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for line in table:
            self.stdout.write("  ".join(map(str.ljust, line, widths)).rstrip())

    def _rotate(self, purpose: str | None) -> None:
        for name in [purpose] if purpose else keys.stored_purposes():
            done = keys.rotate(purpose=name, origin=CONSOLE)
            self.stdout.write(
                f"{name}: {done.key.kid} signs from {_at(done.key.signs_from)}, "
                f"{done.former.kid} verifies until {_at(done.former_until)}."
            )

    def _retire(self, kid: str, *, ask: bool) -> None:
        row = keys.retirable(kid)
        if (
            ask
            and input(f"Every token of {row.purpose} that {kid} signed becomes invalid. Type yes to continue: ")
            != "yes"
        ):
            raise CommandError("Nothing was retired.")
        keys.retire(kid=kid, origin=CONSOLE)
        self.stdout.write(f"{kid} was retired: every node refuses its tokens within half a minute.")

    def _reencrypt(self) -> None:
        results = reencrypt(origin=CONSOLE)
        for result in results:
            self.stdout.write(
                f"{result.purpose}: {result.moved} encrypted anew, {result.current} were already, "
                f"{result.unreadable} cannot be read"
            )
        if any(result.unreadable for result in results):
            raise CommandError(
                "Some secrets were encrypted with a key that is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS: add "
                "that key to SECRET_KEY_FALLBACKS and repeat, or see docs/secrets.md for what a lost key costs."
            )
