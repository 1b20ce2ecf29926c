"""Checks the replica of the database, if there is one. The service runs without it, so that nothing is a failure."""

from collections.abc import Iterator
from typing import Final

from django.db import Error, connections

from accounts import database_errors
from audit.replica import ALIAS, MAX_DELAY, is_configured, is_current
from authsvc.doctor.findings import Finding, ok, warning

# That a session is read-only says nothing: the service has asked for it.
_IS_STANDBY: Final = {
    "postgresql": "SELECT pg_is_in_recovery()",
    "mysql": "SELECT @@GLOBAL.read_only",
}


def replica() -> Iterator[Finding]:
    if not is_configured():
        yield ok("replica", "DATABASE_REPLICA_URL is not set.")
        return
    try:
        standby, current = _is_standby(), is_current()
    except Error as error:
        yield warning(
            "replica",
            f"{database_errors.summary(error)} The trail's lists are read from the primary.",
            "Check DATABASE_REPLICA_URL, the replica, and the network between.",
        )
        return
    if not standby:
        yield warning("replica", "It is no replica: it can be written.", "Point DATABASE_REPLICA_URL to a standby.")
    elif not current:
        yield warning(
            "replica",
            f"It lacks rows that are {MAX_DELAY.seconds} seconds old: the trail's lists are read from the primary.",
            "pg_stat_replication on the primary, or SHOW REPLICA STATUS on the replica, says why it is behind.",
        )
    else:
        yield ok("replica", "It answers and has the rows of the trail.")


def _is_standby() -> bool:
    single = connections[ALIAS].copy()
    # The pool would say no more than that it has no connection.
    single.settings_dict["OPTIONS"].pop("pool", None)
    try:
        with single.cursor() as cursor:
            cursor.execute(_IS_STANDBY[single.vendor])
            return bool(cursor.fetchone()[0])
    finally:
        single.close()
