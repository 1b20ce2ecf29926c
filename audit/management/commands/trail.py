"""Verifies, anchors, reports and streams the trail; every subcommand is a module of `audit.trail_commands`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.trail_commands import SUBCOMMANDS


class Command(BaseCommand):
    help = "Verifies the seal of the trail, writes anchors of it, reports to assessors, and sends it to a receiver."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, module in SUBCOMMANDS.items():
            module.add_arguments(actions.add_parser(name, help=module.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        SUBCOMMANDS[options["action"]].run(options, self.stdout, self.stderr)
