"""Removes rows that have no effect any more."""

import signal
import time
from collections import Counter
from contextlib import closing
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import purging
from audit.origin import CONSOLE

_PROGRESS_SECONDS: Final = 5


class Command(BaseCommand):
    help = "Removes rows that have no effect any more, in batches; may be interrupted and repeated at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count the rows and remove nothing")
        parser.add_argument(
            "--only", type=_names, default=tuple(purging.PURGES), help=f"some of {','.join(purging.PURGES)}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            counts = self._run(options["only"], dry_run=options["dry_run"])
        except KeyboardInterrupt as error:
            text = "The purge was stopped. What it had removed stays removed; the next run removes the rest."
            raise CommandError(text, returncode=130) from error
        finally:
            signal.signal(signal.SIGTERM, former)
        verb = "would be removed" if options["dry_run"] else "removed"
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count} {verb}")

    def _run(self, names: tuple[str, ...], *, dry_run: bool) -> Counter[str]:
        counts: Counter[str] = Counter()
        reported = time.monotonic()
        with closing(purging.run(names=names, dry_run=dry_run, origin=CONSOLE)) as batches:
            for name, count in batches:
                counts[name] += count
                if time.monotonic() > reported + _PROGRESS_SECONDS:
                    self.stdout.write(f"{name}: {counts[name]} so far")
                    self.stdout.flush()
                    reported = time.monotonic()
        return counts


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if unknown := set(names) - purging.PURGES.keys():
        raise CommandError(f"--only has {', '.join(sorted(unknown))}; known are {', '.join(purging.PURGES)}.")
    return names
