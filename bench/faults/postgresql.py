"""PostgreSQL with a synchronous streaming standby."""

from pathlib import Path
from typing import Any

import psycopg

from bench.faults.servers import Server

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_STANDBY = "standby"
_CONNECTIONS = 60


class _Instance(Server):
    name = "PostgreSQL"
    owner = "postgres"
    # The name of the standby that a commit waits for.
    waits_for = ""
    cluster_name = _STANDBY

    @property
    def url(self) -> str:
        return f"postgres://authsvc@127.0.0.1:{self.port}/authsvc"

    def program(self, name: str) -> str:
        return str(_PROGRAMS[-1] / name)

    def command(self) -> list[str]:
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": _CONNECTIONS,
            # So that little is written ahead into files that exist, and a full disk shows soon.
            "min_wal_size": "2MB",
            "max_wal_size": "64MB",
            "wal_keep_size": "64MB",
            "wal_retrieve_retry_interval": "500ms",
            "synchronous_standby_names": self.waits_for,
            # A standby connects with it as its name.
            "cluster_name": self.cluster_name,
        }
        settings = [f"-c{name}={value}" for name, value in options.items()]
        return [self.program("postgres"), "-D", str(self.data), *settings]

    def connect(self, user: str = "postgres") -> psycopg.Connection[Any]:
        database = "postgres" if user == "postgres" else "authsvc"
        place = f"host=127.0.0.1 port={self.port} user={user} dbname={database} connect_timeout=3"
        return psycopg.connect(place, autocommit=True)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connect("authsvc") as connection:
            return connection.execute(statement).fetchall()

    def end_connections_of_the_service(self) -> None:
        with self.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'authsvc'")

    def lock_users(self, connection: Any) -> None:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")


class PostgreSQL(_Instance):
    """The primary. Each commit waits for the standby's disk."""

    cluster_name = "primary"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.standby: _Instance | None = None

    def create(self) -> None:
        own = [self.program("initdb"), "-D", str(self.data), "-A", "trust", "-U", "postgres", "--wal-segsize=1", "-N"]
        self.run_as_owner(*own, "-E", "UTF8", "--locale=C.UTF-8")
        self.start()
        with self.connect() as connection:
            for role in ("authsvc", "other"):
                connection.execute(f"CREATE ROLE {role} LOGIN")
            connection.execute("CREATE DATABASE authsvc OWNER authsvc")
        self._add_standby()

    def _add_standby(self) -> None:
        folder = self.folder / "standby"
        folder.mkdir()
        standby = self.standby = _Instance(folder)
        place = f"host=127.0.0.1 port={self.port} user=postgres"
        standby.run_as_owner(
            self.program("pg_basebackup"), "-D", str(standby.data), "-d", place, "-R", "-X", "stream", "-c", "fast"
        )
        standby.start()
        # From the next start on.
        self.waits_for = _STANDBY
        self.kill()
        self.start()

    @property
    def synchronous(self) -> bool:
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone()
        return row == (1,)

    def fail_over(self) -> _Instance:
        """End the primary and promote its standby; return that."""
        assert self.standby
        self.kill()
        with self.standby.connect() as connection:
            connection.execute("SELECT pg_promote()")
        return self.standby

    def stop(self) -> None:
        super().stop()
        if self.standby:
            self.standby.stop()
