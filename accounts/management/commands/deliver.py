"""Delivers queued messages until it is stopped."""

import signal
from datetime import timedelta
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.messaging.delivery import DeliveryWorker, deliver_due
from accounts.messaging.heartbeat import delivery_status


class Command(BaseCommand):
    help = "Delivers queued messages until it is stopped; any number may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check",
            action="store_true",
            help="deliver nothing; exit with status 1 if no worker was seen for four minutes",
        )
        what.add_argument(
            "--once", action="store_true", help="deliver the messages that are due, print how many there were, and exit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
            return
        if options["once"]:
            outcomes = deliver_due()
            self.stdout.write(
                ", ".join(f"{count} {state}" for state, count in outcomes.items() if count) or "nothing was due"
            )
            return
        worker = DeliveryWorker()

        def stop(number: int, frame: FrameType | None) -> None:
            worker.stop()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        self.stdout.write("Delivering messages. Ctrl-C stops after the current message.")
        worker.run()

    def _check(self) -> None:
        status = delivery_status(timezone.now())
        seen = f"seen {_seconds(status.unseen_for)} ago" if status.unseen_for is not None else "never seen"
        text = f"worker {seen}, {status.pending} messages wait, the oldest for {_seconds(status.oldest)}"
        if not status.is_running:
            raise CommandError(text)
        self.stdout.write(text)


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.0f} s"
