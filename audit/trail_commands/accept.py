"""`manage.py trail accept`: rows that the previous release wrote without a seal during an upgrade."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from audit import sealed_rows
from audit.start import accept_unsealed

HELP: Final = "accept the rows without a seal that nodes of the previous release wrote during an upgrade"


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--noinput", action="store_true", help="do not ask for confirmation")


def run(options: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Record how many such rows there are. Raises CommandError if it is not confirmed."""
    count = sum(sealed_rows.counts("lane IS NULL").values())
    question = f"{count} rows have no seal; from now on nobody asks where they come from. Type yes to continue: "
    if not options["noinput"] and input(question) != "yes":
        raise CommandError("Nothing was accepted.")
    accept_unsealed()
    stdout.write(f"{count} rows without a seal were accepted, by an event of the trail.")
