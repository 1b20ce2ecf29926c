"""`manage.py trail report`: the assessor's report of a period, on standard output."""

from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.template.loader import render_to_string

from audit.admin.spreadsheet import csv_text
from audit.reports import InvalidPeriod, Report, report

HELP: Final = "write the assessor's report of a period to standard output"


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--from", dest="first", type=_day, required=True, metavar="DATE", help="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=_day, required=True, metavar="DATE", help="YYYY-MM-DD, included")
    parser.add_argument("--format", choices=["html", "csv"], default="html")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no date such as 2026-11-21") from error


def run(options: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Write the report. Raises CommandError for an invalid period."""
    try:
        made = report(options["first"], options["last"])
    except InvalidPeriod as error:
        raise CommandError("--from must not be after --to, and the period is at most 366 days.") from error
    if options["format"] == "csv":
        stdout.write(csv_text(_rows(made)), ending="")
        return
    stdout.write(render_to_string("audit/report.html", {"report": made, "service": settings.SERVICE_NAME}))


def _rows(made: Report) -> Iterator[list[object]]:
    for section in made.sections:
        yield [section.title, *section.header]
        yield from ([section.title, *row] for row in section.rows)
