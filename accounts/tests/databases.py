"""States of the database that tests need."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from unittest import mock

from django.conf import settings
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# What makes a connection read-only, as a standby or a full disk makes the server.
_READ_ONLY = {
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = 1",
}


def direct_connection() -> BaseDatabaseWrapper:
    """Return a new connection to the test's database, past the pooler where there is one: a session of its own."""
    values = deepcopy(connection.settings_dict)
    if settings.UNPOOLED_DATABASE:
        values |= {**settings.UNPOOLED_DATABASE, "NAME": values["NAME"]}
    return type(connections["default"])(values)


@contextmanager
def unpooled() -> Iterator[None]:
    """Let every thread use sessions of its own meanwhile, past the pooler; for tests with transactions of their own."""
    former, session = connections["default"], direct_connection()
    former.close()
    connections["default"] = session
    try:
        with mock.patch.dict(connections.settings, default=session.settings_dict):
            yield
    finally:
        connections["default"] = former
        session.close()


@contextmanager
def read_only() -> Iterator[None]:
    """Refuse writes meanwhile; for tests with transactions of their own."""
    with unpooled(), connection.cursor() as cursor:
        cursor.execute(_READ_ONLY[connection.vendor])
        yield


def count_by_database(*, postgresql: int, others: int) -> int:
    """Return which of two counts of statements holds: PostgreSQL can read in one statement what another one changes."""
    return postgresql if connection.vendor == "postgresql" else others
