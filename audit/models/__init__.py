"""The trail's tables."""

from audit.models.entries import IDENTIFIER_LENGTH, AppendOnly, Entry, LoginAttempt, SecurityEvent
from audit.models.lanes import KEY_NAME_LENGTH, Checkpoint, Lane, TrailCheck
from audit.models.stream import StreamPosition

__all__ = [
    "IDENTIFIER_LENGTH",
    "KEY_NAME_LENGTH",
    "AppendOnly",
    "Checkpoint",
    "Entry",
    "Lane",
    "LoginAttempt",
    "SecurityEvent",
    "StreamPosition",
    "TrailCheck",
]
