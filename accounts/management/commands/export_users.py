"""Exports all accounts."""

import time
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.private_files import created
from accounts.services import exporting
from audit.origin import CONSOLE

_PROGRESS_SECONDS: Final = 2


class Command(BaseCommand):
    help = "Exports all accounts to a file that `import_users --from authsvc` reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=f"a file named *{', *'.join(exporting.KINDS)}")
        parser.add_argument(
            "--with-hashes", action="store_true", help="with the password hashes: keep the file like the database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if path.suffix not in exporting.KINDS:
            raise CommandError(f"{path} must be named *{', *'.join(exporting.KINDS)}.")
        count, reported = 0, time.monotonic()
        with created(path) as file:
            steps = exporting.export(file, path.suffix, with_hashes=options["with_hashes"], origin=CONSOLE)
            for count in steps:
                if time.monotonic() > reported + _PROGRESS_SECONDS:
                    self.stdout.write(f"{count} accounts written")
                    reported = time.monotonic()
        self.stdout.write(f"{count} accounts are in {path}.")
