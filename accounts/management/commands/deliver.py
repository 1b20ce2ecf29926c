"""Delivers queued messages until it is stopped."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.messaging.delivery import DeliveryWorker, deliver_due


class Command(BaseCommand):
    help = "Delivers queued messages until it is stopped; any number may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="deliver the messages that are due, print how many there were, and exit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
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
