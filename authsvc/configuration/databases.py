"""DATABASE_URL as Django's database settings, with what this service relies on in each database."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg import IsolationLevel

from authsvc.configuration import database_urls

# A thread keeps its connection; a broken one is closed at the end of the request that found it broken.
CONNECTION_AGE = int(timedelta(minutes=10).total_seconds())
SQLITE_BUSY_SECONDS = 20
# A longer statement is a fault; the client gets a response instead of a connection that hangs.
STATEMENT_SECONDS = 15
CONNECT_SECONDS = 5
STATEMENT_OPTION = f"-c statement_timeout={STATEMENT_SECONDS * 1000}"
# The text between the comment signs is for MariaDB alone: MySQL has no such limit for writes.
STATEMENT_VARIABLE = f" /*M! , max_statement_time={STATEMENT_SECONDS} */"
# A server whose disk hangs does not end a statement itself.
LONGEST_WAIT = STATEMENT_SECONDS + CONNECT_SECONDS
# The kernel notices a server that has vanished: on an idle connection by keepalives, else by what is not acknowledged.
_POSTGRESQL_TIMEOUTS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}
# A replica is only read, wherever its URL leads. MySQL's has to be read-only itself.
_READ_ONLY_OPTION = "-c default_transaction_read_only=on"
_READ_ONLY_VARIABLE = " /*M! , tx_read_only=1 */"
# A connection prepares a statement that it executes more often than this.
PREPARED_AFTER = 2


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How PostgreSQL's connections are shared.

    `size` is the most connections of a process; with 0 every thread keeps one of its own. `transaction` says that
    a pooler between gives a server's connection to a client for one transaction (PgBouncer's transaction mode).
    """

    size: int = 0
    transaction: bool = False


def _sqlite(config: dict[str, Any], base_dir: Path, pooling: PoolSettings) -> None:
    config["ENGINE"] = "authsvc.configuration.sqlite3"
    name = config["NAME"]
    if name != ":memory:":
        config["NAME"] = base_dir / name
    # A transaction takes the write lock when it begins, so that none fails for having read before it writes.
    config["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": SQLITE_BUSY_SECONDS,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }


def _postgresql(config: dict[str, Any], base_dir: Path, pooling: PoolSettings) -> None:
    config["ENGINE"] = "authsvc.configuration.postgresql"
    given = config.get("OPTIONS", {})
    config["OPTIONS"] = {
        **_POSTGRESQL_TIMEOUTS,
        **given,
        "isolation_level": IsolationLevel.READ_COMMITTED,
        # Parameters are bound by the server, which parses and plans a repeated statement once: half of its work.
        "server_side_binding": True,
        # What a session prepares or sets is not there in the next transaction behind such a pooler.
        "prepare_threshold": None if pooling.transaction else PREPARED_AFTER,
        "longest_wait": LONGEST_WAIT,
    }
    if pooling.transaction:
        config["DISABLE_SERVER_SIDE_CURSORS"] = True
    else:
        # Of two values the server takes the later one, so that the operator's own wins. libpq would read PGOPTIONS only
        # if there were no options.
        own = given.get("options", os.environ.get("PGOPTIONS", ""))
        config["OPTIONS"]["options"] = f"{STATEMENT_OPTION} {own}".strip()
    if pooling.size:
        # A request that gets no connection in this time is answered 503.
        config["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pooling.size, "timeout": CONNECT_SECONDS}
        # Until then a failed attempt to connect is repeated; the next request makes another.
        config["OPTIONS"]["pool"]["reconnect_timeout"] = CONNECT_SECONDS
        config["CONN_MAX_AGE"] = 0
        # Django would ask the server each time that it takes a connection from the pool; the backend does it as above.
        config["CONN_HEALTH_CHECKS"] = False


def _mysql(config: dict[str, Any], base_dir: Path, pooling: PoolSettings) -> None:
    # The session's time zone makes the database's clock return UTC, which the columns hold.
    config["ENGINE"] = "authsvc.configuration.mysql"
    config["OPTIONS"] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": LONGEST_WAIT,
        "write_timeout": LONGEST_WAIT,
        **config.get("OPTIONS", {}),
        "isolation_level": "read committed",
        "charset": "utf8mb4",
        "longest_wait": LONGEST_WAIT,
        "init_command": (
            "SET time_zone='+00:00', sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=5"
            f"{STATEMENT_VARIABLE}"
        ),
    }
    config["TEST"] = {"CHARSET": "utf8mb4"}


_VENDORS = {
    "django.db.backends.sqlite3": _sqlite,
    "django.db.backends.postgresql": _postgresql,
    "django.db.backends.mysql": _mysql,
}


def from_url(url: str, base_dir: Path, pooling: PoolSettings = PoolSettings()) -> dict[str, Any]:
    """Return the settings of one database.

    A relative SQLite path counts from `base_dir`. `authsvc.configuration.env` has validated the URL.
    """
    config = database_urls.parse(url, conn_max_age=CONNECTION_AGE)
    # A request checks first whether its connection is still there; the backends do so without asking the server.
    config["CONN_HEALTH_CHECKS"] = True
    _VENDORS[config["ENGINE"]](config, base_dir, pooling)
    if config["ENGINE"] == "authsvc.configuration.mysql":
        import pymysql

        pymysql.install_as_MySQLdb()
    return config


def replica_from_url(url: str, base_dir: Path, pooling: PoolSettings = PoolSettings()) -> dict[str, Any]:
    """Return the settings of a replica: of several servers any, rather a standby, and a session that is read-only."""
    config = from_url(url, base_dir, pooling)
    options = config["OPTIONS"]
    if "target_session_attrs" in options and "target_session_attrs" not in url:
        options["target_session_attrs"] = "prefer-standby"
    if "options" in options:
        options["options"] += f" {_READ_ONLY_OPTION}"
    if "init_command" in options:
        options["init_command"] += _READ_ONLY_VARIABLE
    return config
