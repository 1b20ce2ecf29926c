"""Checks a deployment: the database, the gateways, the keys, the machine."""

import json
from dataclasses import asdict
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser

from authsvc.doctor.findings import Finding, Status
from authsvc.doctor.run import findings

_ORDER: Final = (Status.OK, Status.WARNING, Status.FAILURE)


class Command(BaseCommand):
    help = "Checks a deployment by trying what it needs; exit status 1 if anything fails, 0 with warnings alone."
    # It runs them itself, and reports on each.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one object with all results")

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[Finding] = []
        for finding in findings():
            found.append(finding)
            if not options["json"]:
                self._print(finding)
        worst = max((finding.status for finding in found), key=_ORDER.index)
        if options["json"]:
            result = {"status": worst, "checks": [asdict(finding) for finding in found]}
            self.stdout.write(json.dumps(result, ensure_ascii=False, indent=2))
        if worst is Status.FAILURE:
            raise SystemExit(1)

    def _print(self, finding: Finding) -> None:
        style = {Status.OK: self.style.SUCCESS, Status.WARNING: self.style.WARNING, Status.FAILURE: self.style.ERROR}
        self.stdout.write(f"{style[finding.status](f'{finding.status:<8}')} {finding.check}: {finding.text}")
        if finding.hint:
            self.stdout.write(f"         {finding.hint}")
