"""`manage.py trail anchor`: the heads of the trail, signed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from audit import anchors

HELP: Final = "write a signed anchor, which shows later whether the trail's end was cut off"


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--file", type=Path, metavar="FILE", help="a new file; standard output without it")


def run(options: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Write an anchor. Raises CommandError if the file exists or cannot be written."""
    path: Path | None = options["file"]
    if path is None:
        stdout.write(anchors.write())
        return
    try:
        # An existing anchor is evidence; it is not overwritten.
        with path.open("x", encoding="ascii") as file:
            file.write(anchors.write() + "\n")
    except OSError as error:
        raise CommandError(f"The anchor cannot be written to {path}: {error.strerror}. Name a new file.") from error
