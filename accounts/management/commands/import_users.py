"""Imports the accounts of a former system."""

import csv
import signal
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.private_files import created
from accounts.services.importing.errors import ImportRefused
from accounts.services.importing.import_plan import ImportPlan, Outcome, PlannedAccount
from accounts.services.importing.planning import OnConflict
from accounts.services.importing.run import ImportRun
from accounts.services.importing.sources import opened, without_password
from accounts.services.importing.systems import SYSTEMS
from audit.admin.spreadsheet import BOM, escape_formula
from audit.origin import CONSOLE

_PROGRESS_SECONDS: Final = 2
_LISTED: Final = 20
_REPORT: Final = ("row", "outcome", "former_id", "id", "username", "remarks")
_OUTCOMES: Final = {
    Outcome.NEW: "come",
    Outcome.RENAMED: "come under another name or without a contact",
    Outcome.PRESENT: "are here already from an earlier import",
    Outcome.CONFLICT: "collide",
    Outcome.MALFORMED: "are malformed",
}


class Command(BaseCommand):
    help = "Imports the accounts of a former system with their passwords, in one transaction or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="a database URL, or a file: .csv, .json, .jsonl")
        parser.add_argument(
            "--from", dest="system", required=True, choices=SYSTEMS, help="the system whose columns the source has"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
        parser.add_argument(
            "--on-conflict",
            type=OnConflict,
            choices=list(OnConflict),
            default=OnConflict.STOP,
            help="rows that collide or are malformed stop the import (the default), are skipped, or are renamed",
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="a CSV file with a line for each row")

    def handle(self, *args: Any, **options: Any) -> None:
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        system = SYSTEMS[options["system"]]
        try:
            with opened(options["source"], system) as source, closing(ImportPlan()) as import_plan:
                self._run(ImportRun(system, source, options["on_conflict"], import_plan), options)
        except ImportRefused as error:
            raise CommandError(str(error)) from error
        finally:
            signal.signal(signal.SIGTERM, former)

    def _run(self, task: ImportRun, options: dict[str, Any]) -> None:
        report = created(options["report"]) if options["report"] else None
        try:
            self._read(task)
            task.plan(reserve=not options["dry_run"])
            self._show(task)
            if not options["dry_run"] and not task.refused() and task.coming():
                self._write(task, without_password(options["source"]))
        except KeyboardInterrupt as error:
            if not task.is_written():
                raise CommandError("The import was stopped. Nothing was imported.", returncode=130) from error
            self.stdout.write("The import was complete when it was stopped.")
        finally:
            if report:
                with report:
                    _write_report(report, task)
        if refused := task.refused():
            raise CommandError(
                f"{refused} rows collide or are malformed, and nothing was imported. --on-conflict=skip leaves them"
                " out, --on-conflict=rename gives them other names."
            )

    def _read(self, task: ImportRun) -> None:
        reported = time.monotonic()
        for count in task.read():
            reported = self._progress(reported, f"{count} rows read")

    def _write(self, task: ImportRun, described_as: str) -> None:
        reported, started = time.monotonic(), time.monotonic()
        with closing(task.write(CONSOLE, described_as)) as steps:
            for written in steps:
                text = f"{written.accounts} accounts and {written.logs} login attempts written"
                reported = self._progress(reported, text)
        left_out = f", {written.logs_left_out} login attempts left out" if written.logs_left_out else ""
        self.stdout.write(f"{text}{left_out}, in {time.monotonic() - started:.0f} s. The import is {task.key}.")

    def _progress(self, reported: float, text: str) -> float:
        """Print how far a step is, unless it was printed just now; return when it was printed last."""
        if time.monotonic() < reported + _PROGRESS_SECONDS:
            return reported
        self.stdout.write(text)
        self.stdout.flush()
        return time.monotonic()

    def _show(self, task: ImportRun) -> None:
        counts = task.import_plan.counts()
        for outcome, text in _OUTCOMES.items():
            self.stdout.write(f"{counts[outcome]:>8} {text}")
        for name, count in task.import_plan.hash_kinds().items():
            self.stdout.write(f"{count:>8} passwords of kind {name}" if name else f"{count:>8} without a password")
        remarkable = (
            person
            for person in task.people()
            if (person.reasons or person.notes) and person.outcome is not Outcome.PRESENT
        )
        for person in islice(remarkable, _LISTED):
            self.stdout.write("  ".join(map(str, _line(person))))
        if next(remarkable, None):
            self.stdout.write("…  --report=FILE has all of them.")


def _line(person: PlannedAccount) -> tuple[object, ...]:
    remarks = "; ".join([*person.reasons, *person.notes])
    ids = (person.former_id or "", person.user_id or "")
    return (person.number, person.outcome.value, *ids, person.columns.get("username", ""), remarks)


def _write_report(file: TextIO, task: ImportRun) -> None:
    file.write(BOM)
    writer = csv.writer(file)
    writer.writerow(_REPORT)
    for person in task.people():
        writer.writerow([escape_formula(value) for value in _line(person)])
