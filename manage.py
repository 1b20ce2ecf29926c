#!/usr/bin/env python
"""Runs the service's commands; `manage.py help` lists them."""

import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO


def _can_run(arguments: list[str]) -> bool:
    """Return whether these arguments of `quickstart` run it, and do not print its help or an error."""
    from django.core.management import BaseCommand, CommandError

    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            BaseCommand().create_parser("manage.py", "quickstart").parse_args(arguments)
    except (SystemExit, CommandError):
        return False
    return True


def _prepare_quickstart() -> None:
    """Write the development file that the settings read before any command runs; help needs none."""
    from authsvc.configuration.env import ENV_FILE, write_development_file

    if sys.argv[1] == "quickstart" and _can_run(sys.argv[2:]):
        write_development_file()
    elif ENV_FILE and not ENV_FILE.exists():
        os.environ.setdefault("DEBUG", "true")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")
    if "quickstart" in sys.argv[1:3]:
        _prepare_quickstart()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
