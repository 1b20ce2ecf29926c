"""What a check finds."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the name of the check, its result in a sentence, and how to mend it."""

    check: str
    status: Status
    text: str
    hint: str = ""


def ok(check: str, text: str) -> Finding:
    return Finding(check, Status.OK, text)


def warning(check: str, text: str, hint: str) -> Finding:
    return Finding(check, Status.WARNING, text, hint)


def failure(check: str, text: str, hint: str) -> Finding:
    return Finding(check, Status.FAILURE, text, hint)
