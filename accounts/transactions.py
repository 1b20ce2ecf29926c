"""Transactions that are repeated after a deadlock, the connection between them, and errors of a read-only database."""

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InternalError, OperationalError, connection, transaction

T = TypeVar("T")

ATTEMPTS = 5
# The longest pause before the second attempt; before each further one it is as much longer.
_PAUSE_MILLISECONDS = 20
# PostgreSQL's serialization_failure and deadlock_detected; MySQL's lock wait timeout and deadlock.
_SQLSTATES = frozenset({"40001", "40P01"})
_MYSQL_ERRORS = frozenset({1205, 1213})
# PostgreSQL's lock_not_available.
_LOCK_TIMEOUT = "55P03"
# PostgreSQL's read_only_sql_transaction, of a standby, which Django reports as an error of the program. MariaDB's kin
# (1290, 1792, 1836) are operational errors already.
_READ_ONLY = "25006"


def _is_retryable(error: OperationalError) -> bool:
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in _SQLSTATES:
        return True
    return connection.vendor == "mysql" and bool(error.args) and error.args[0] in _MYSQL_ERRORS


def is_lock_timeout(error: OperationalError) -> bool:
    """Return whether a statement of PostgreSQL waited longer for a lock than it may."""
    return getattr(error.__cause__, "sqlstate", None) == _LOCK_TIMEOUT


def is_read_only(error: BaseException) -> bool:
    """Return whether a statement was refused because the database is read-only."""
    return isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", None) == _READ_ONLY


def atomically(work: Callable[[], T]) -> T:
    """Return what `work` returns, run in one transaction that commits before this returns.

    It is repeated as `repeatedly` does.
    """

    def transactionally() -> T:
        with transaction.atomic():
            return work()

    return repeatedly(transactionally)


def repeatedly(work: Callable[[], T]) -> T:
    """Return what `work` returns, which is one transaction or one statement without a transaction.

    A deadlock or a serialization failure repeats it, at most five times in all; inside an open transaction it runs
    once, because only the outermost transaction can be repeated. `work` must have no effect outside the database.
    """
    nested = connection.in_atomic_block
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except OperationalError as error:
            if nested or attempt == ATTEMPTS or not _is_retryable(error):
                raise
        except transaction.TransactionManagementError as error:
            # A server of Galera has ended the transaction, and with it a savepoint that an error would lead back to.
            if nested or connection.vendor != "mysql":
                raise
            if attempt == ATTEMPTS:
                raise OperationalError("The database server has ended the transaction.") from error
        # Servers of Galera find a conflict at the commit: without a pause the same ones would meet again.
        time.sleep(secrets.randbelow(_PAUSE_MILLISECONDS * attempt) / 1000)
    raise AssertionError("The last attempt either returns or raises.")


def release_connection() -> None:
    """Return this thread's connection to its pool, where there is one and no transaction is open.

    For whoever is about to wait; the next statement takes a connection again.
    """
    # A connection of a pool has no age; any other stays with its thread.
    if not connection.in_atomic_block and connection.settings_dict["CONN_MAX_AGE"] == 0:
        connection.close()
