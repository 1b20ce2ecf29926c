"""MariaDB, one server."""

from pathlib import Path
from typing import Any

import pymysql

from authsvc.tests.server import free_port
from bench.faults.servers import Server

_CONNECTIONS = 60


class MariaDB(Server):
    name = "MariaDB"
    owner = "mysql"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._extra_port = free_port()

    @property
    def url(self) -> str:
        return f"mysql://authsvc@127.0.0.1:{self.port}/authsvc"

    def command(self) -> list[str]:
        options = {
            "datadir": self.data,
            "port": self.port,
            "bind-address": "127.0.0.1",
            "socket": f"{self.disk.folder}/socket",
            "pid-file": f"{self.disk.folder}/pid",
            "innodb-log-file-size": "32M",
            "max-connections": _CONNECTIONS,
            # For the administrator, when every other connection is taken.
            "extra-port": self._extra_port,
            "extra-max-connections": 4,
        }
        return ["/usr/sbin/mariadbd", "--no-defaults", *(f"--{name}={value}" for name, value in options.items())]

    def create(self) -> None:
        given = [f"--datadir={self.data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        self.run_as_owner("mariadb-install-db", "--no-defaults", *given)
        self.start()
        with self.connect() as connection, connection.cursor() as cursor:
            for user in ("authsvc", "other"):
                cursor.execute(f"CREATE USER {user}")
            cursor.execute("CREATE DATABASE authsvc CHARACTER SET utf8mb4")
            cursor.execute("GRANT ALL ON authsvc.* TO authsvc, other")
            # Migrations make triggers.
            cursor.execute("SET GLOBAL log_bin_trust_function_creators = 1")

    def connect(self, user: str = "") -> Any:
        place: dict[str, Any] = {"port": self.port, "user": user, "database": "authsvc"}
        if not user:
            place = {"port": self._extra_port, "user": "root"}
        return pymysql.connect(host="127.0.0.1", autocommit=True, connect_timeout=3, **place)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connect("authsvc") as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def end_connections_of_the_service(self) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'authsvc'")
            for (number,) in cursor.fetchall():
                try:
                    cursor.execute(f"KILL {number}")
                except pymysql.err.OperationalError:
                    # It has ended by itself.
                    continue

    def lock_users(self, connection: Any) -> None:
        connection.cursor().execute("LOCK TABLES accounts_user WRITE")
