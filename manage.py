#!/usr/bin/env python
"""Runs the service's commands; `manage.py help` lists them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")
    if sys.argv[1:2] == ["quickstart"]:
        # The settings are read before any command runs, so the file must be there first.
        from authsvc.configuration.env import write_development_file

        write_development_file()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
