"""The subcommands of `manage.py trail`: HELP, add_arguments() and run() of each module."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.core.management.base import CommandParser, OutputWrapper

from audit.trail_commands import accept, anchor, report, stream, verify


class Subcommand(Protocol):
    HELP: str

    def add_arguments(self, parser: CommandParser) -> None: ...

    def run(self, options: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
        """Run it. Raises CommandError, or SystemExit with an exit status."""


SUBCOMMANDS: Final[Mapping[str, Subcommand]] = {
    "verify": verify,
    "anchor": anchor,
    "accept": accept,
    "report": report,
    "stream": stream,
}
