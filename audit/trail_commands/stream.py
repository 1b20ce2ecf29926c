"""`manage.py trail stream`: follows the trail until it is stopped, and sends it to AUDIT_STREAM_URL."""

import signal
from collections.abc import Mapping
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError, CommandParser, OutputWrapper

from audit.streaming.follower import follower
from audit.streaming.receivers import destination_of

HELP: Final = "send every row to AUDIT_STREAM_URL, in the order of the seal and at least once, until stopped"


def add_arguments(parser: CommandParser) -> None:
    """Add nothing: the receiver is a setting, so that its password is in no list of processes."""


def run(options: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Follow the trail until SIGINT or SIGTERM. Raises CommandError without a receiver."""
    if not settings.AUDIT_STREAM_URL:
        raise CommandError("AUDIT_STREAM_URL is not set. docs/trail.md, section Streaming, lists its forms.")
    following = follower()

    def stop(number: int, frame: FrameType | None) -> None:
        following.stop()

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    stdout.write(f"Sending the trail to {destination_of(settings.AUDIT_STREAM_URL)}. Ctrl-C stops after a batch.")
    stdout.flush()
    try:
        following.run()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
