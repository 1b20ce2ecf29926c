"""Errors of the database that ended a request: their number, and what the log says of one."""

from typing import Final

from django.db import Error
from prometheus_client import Counter

COUNT: Final = Counter("authsvc_db_errors", "Requests that an error of the database ended.")


def summary(error: Error) -> str:
    """Return the class and the first line of the text; the others can hold values of a row."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
