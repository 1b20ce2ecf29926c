"""Runs the checks in their order."""

from collections.abc import Callable, Iterator
from typing import Final

from django.db import Error

from accounts import database_errors
from authsvc.doctor import database, gateways, replica, service
from authsvc.doctor.findings import Finding, failure

Check = Callable[[], Iterator[Finding]]

# They are left out while the database cannot be reached.
_OF_DATABASE: Final[tuple[Check, ...]] = (
    database.isolation,
    database.time_zone_data,
    database.migrations,
    database.clock,
    database.connections,
    database.statement_timeout,
    database.server_log,
    replica.replica,
    service.keys,
    service.delivery,
)
_OTHERS: Final[tuple[Check, ...]] = (
    gateways.cache,
    gateways.mail,
    gateways.sms,
    gateways.certificates,
    service.disk,
    service.configuration,
)


def findings() -> Iterator[Finding]:
    """Yield what the checks find, each as soon as it is known."""
    of_database = _OF_DATABASE
    try:
        yield from database.database()
    except Error as error:
        of_database = ()
        yield failure(
            "database", database_errors.summary(error), "Check DATABASE_URL, the server, and the network between."
        )
    for check in (*of_database, *_OTHERS):
        yield from _results(check)


def _results(check: Check) -> Iterator[Finding]:
    """Yield what one check finds; an error of the database, such as a missing table, is a failure of that check."""
    try:
        yield from check()
    except Error as error:
        yield failure(check.__name__, database_errors.summary(error), "The line about migrations may say why.")
