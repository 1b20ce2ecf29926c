"""Files that commands write for their user alone, because they name people."""

import os
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError


def created(path: Path) -> TextIO:
    """Return a new or emptied file that only its user can read. Raises CommandError."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(number, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    return open(number, "w", encoding="utf-8", newline="")
