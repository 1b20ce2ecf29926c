"""How many connections the database server has, and how many it accepts."""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class ServerConnections:
    """Connections of all clients of the server; `limit` is what it accepts of users without special rights."""

    used: int
    limit: int


def server_connections() -> ServerConnections | None:
    """Return the numbers, or None of SQLite. Raises django.db.Error."""
    match connection.vendor:
        case "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT (SELECT sum(numbackends) FROM pg_stat_database), current_setting('max_connections')::int"
                    " - current_setting('superuser_reserved_connections')::int"
                )
                used, limit = cursor.fetchone()
        case "mysql":
            with connection.cursor() as cursor:
                cursor.execute("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
                used = cursor.fetchone()[1]
                cursor.execute("SELECT @@GLOBAL.max_connections")
                limit = cursor.fetchone()[0]
        case _:
            return None
    return ServerConnections(int(used), int(limit))
