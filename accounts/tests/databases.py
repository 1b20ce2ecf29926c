"""States of the database that tests need."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# What makes a connection read-only, as a standby or a full disk makes the server, and what ends that.
_READ_ONLY = {
    "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
    "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
}


@contextmanager
def read_only() -> Iterator[None]:
    """Refuse writes meanwhile; for tests with transactions of their own."""
    begin, end = _READ_ONLY[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute(end)
