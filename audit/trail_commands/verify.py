"""`manage.py trail verify`: exit status 0 if the trail is intact, 1 if not, 130 if it was interrupted."""

import json
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.db import DatabaseError
from django.utils import timezone

from audit import anchors, guards, trail_checks
from audit.findings import DamageKind
from audit.models import TrailCheck
from audit.verification import Verification

HELP: Final = "verify the seal of every row; exit status 1 if rows were changed, removed, inserted or moved"
# Seconds between two lines of progress.
_PROGRESS: Final = 2.0


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--since", type=_midnight, metavar="DATE", help="verify rows from this day on (YYYY-MM-DD)")
    parser.add_argument("--anchor", type=Path, metavar="FILE", help="compare with an anchor: is the end cut off?")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def _midnight(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no date such as 2026-11-21") from error
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def run(options: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Verify, store the result as a TrailCheck, and print it. Raises CommandError for an unusable anchor."""
    try:
        anchor = anchors.read(options["anchor"]) if options["anchor"] else None
    except anchors.InvalidAnchor as error:
        raise CommandError(str(error)) from error
    verification = Verification(since=options["since"])
    try:
        _watch(verification, stderr)
    except KeyboardInterrupt:
        stderr.write(f"Interrupted after {verification.rows} rows; nothing was found out about the others.")
        sys.exit(130)
    except DatabaseError as error:
        raise CommandError(f"The trail cannot be read to its end; were its tables changed? {error}") from error
    for text in anchors.differences(anchor) if anchor else []:
        verification.findings.add(DamageKind.ANCHOR, text)
    result = _result(verification, anchor)
    trail_checks.store(TrailCheck.Kind.VERIFIED, at=verification.started_at, intact=verification.intact, result=result)
    stdout.write(json.dumps(result, ensure_ascii=False, indent=2) if options["json"] else "\n".join(_lines(result)))
    if not verification.intact:
        sys.exit(1)


def _watch(verification: Verification, stderr: OutputWrapper) -> None:
    shown = time.monotonic()
    for rows in verification.run():
        if time.monotonic() - shown >= _PROGRESS:
            stderr.write(f"{rows} rows verified")
            shown = time.monotonic()


def _result(verification: Verification, anchor: anchors.Anchor | None) -> dict[str, Any]:
    seconds = (timezone.now() - verification.started_at).total_seconds()
    return {
        "intact": verification.intact,
        "rows": verification.rows,
        "before_seal": verification.before_seal,
        "since": verification.since.isoformat() if verification.since else None,
        "anchor": anchor.at if anchor else None,
        "findings": verification.findings.listed(),
        "missing_triggers": guards.missing(),
        "seconds": round(seconds, 1),
    }


def _lines(result: dict[str, Any]) -> list[str]:
    verdict = "intact" if result["intact"] else "NOT INTACT"
    lines = [f"The trail is {verdict}: {result['rows']} rows verified in {result['seconds']} s."]
    lines += [f"{each['kind']}: {each['count']}, the first is {each['first']}" for each in result["findings"]]
    if result["before_seal"]:
        lines.append(f"{result['before_seal']} rows are from before the seal; nothing shows whether they were changed.")
    if missing := result["missing_triggers"]:
        lines.append(f"Triggers that protect the tables are missing or hidden from this user: {', '.join(missing)}.")
    return lines
