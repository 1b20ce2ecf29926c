"""Rows of another database, through its own driver: read-only, in one snapshot, and streamed."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import psycopg
import pymysql
from pymysql.cursors import SSCursor

from accounts.services.importing.errors import UnreadableSource
from accounts.services.importing.systems import FormerSystem

_AT_ONCE: Final = 1_000
_CONNECT_SECONDS: Final = 10
_ERRORS: Final = (sqlite3.Error, psycopg.Error, pymysql.MySQLError, OSError)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of a driver, and what differs between databases.

    `columns_sql` finds the names of a table's columns, `stream` opens a cursor whose rows stay on the server until they
    are fetched.
    """

    raw: Any
    quote: str
    columns_sql: str
    stream: Callable[[Any], Any]

    def quoted(self, name: str) -> str:
        return f"{self.quote}{name}{self.quote}"

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns; none where there is no such table. Raises UnreadableSource."""
        return [str(name) for (name,) in self.rows(self.columns_sql.format(table))]

    def rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement. Raises UnreadableSource."""
        cursor = self.stream(self.raw)
        try:
            cursor.execute(sql)
            while found := cursor.fetchmany(_AT_ONCE):
                yield from found
        except _ERRORS as error:
            raise UnreadableSource(f"The database cannot be read: {error}.") from error
        finally:
            cursor.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Open a database by its URL, read-only. Raises UnreadableSource."""
    scheme = urlsplit(url).scheme
    if scheme not in _DRIVERS:
        raise UnreadableSource(f"'{scheme[:20]}' is not a supported database.")
    try:
        connection = _DRIVERS[scheme](url)
    except (*_ERRORS, ValueError) as error:
        raise UnreadableSource(f"The database cannot be opened: {error}.") from error
    try:
        yield connection
    finally:
        connection.raw.close()


def _server(url: str) -> dict[str, Any]:
    """Return what a URL says of a server, as keyword arguments of drivers. Raises ValueError."""
    parts = urlsplit(url)
    given = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    return {name: value for name, value in given.items() if value}


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))


def _sqlite(url: str) -> Connection:
    path = Path(_name(url))
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    raw = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    raw.execute("BEGIN")
    return Connection(raw, '"', "SELECT name FROM pragma_table_info('{}')", lambda raw: raw.cursor())


def _postgresql(url: str) -> Connection:
    raw = psycopg.connect(dbname=_name(url), connect_timeout=_CONNECT_SECONDS, **_server(url))
    raw.isolation_level, raw.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    columns = (
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{}'"
        " AND table_schema = ANY (current_schemas(false)) ORDER BY ordinal_position"
    )
    return Connection(raw, '"', columns, lambda raw: raw.cursor(name="import_users"))


def _mysql(url: str) -> Connection:
    raw = pymysql.connect(
        database=_name(url), connect_timeout=_CONNECT_SECONDS, charset="utf8mb4", autocommit=True, **_server(url)
    )
    with raw.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    columns = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = '{}'"
        " AND table_schema = DATABASE() ORDER BY ordinal_position"
    )
    return Connection(raw, "`", columns, lambda raw: raw.cursor(SSCursor))


_DRIVERS: Final = {
    "sqlite": _sqlite,
    "postgres": _postgresql,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}


class DatabaseSource:
    """The tables of a former system in its own database."""

    def __init__(self, connection: Connection, system: FormerSystem) -> None:
        self._connection = connection
        self._system = system

    def people(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of people, by the names of their columns. Raises UnreadableSource."""
        table, columns = self._table(self._system.tables)
        key = next((name for name in self._system.columns["id"] if name in columns), None)
        if key is None:
            raise UnreadableSource(f"The table {table} has no column {' or '.join(self._system.columns['id'])}.")
        quoted = self._connection.quoted
        selected = [f"person.{quoted(name)}" for name in columns]
        source = f"{quoted(table)} person"
        if self._system.details:
            details, more = self._table(self._system.details)
            wanted = self._wanted(more, columns)
            selected += [f"detail.{quoted(name)}" for name in wanted]
            columns = columns + wanted
            source += f" LEFT JOIN {quoted(details)} detail ON detail.user_id = person.{quoted(key)}"
        sql = f"SELECT {', '.join(selected)} FROM {source} ORDER BY person.{quoted(key)}"
        for row in self._connection.rows(sql):
            yield dict(zip(columns, row, strict=True))

    def logs(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of former login attempts, oldest first; none where the system has no such table."""
        logs = self._system.logs
        if logs is None or not self._connection.columns(logs.table):
            return iter(())
        columns = ", ".join(logs.columns)
        return self._connection.rows(f"SELECT {columns} FROM {logs.table} ORDER BY {logs.key}")

    def _table(self, tables: Sequence[str]) -> tuple[str, list[str]]:
        """Return the first of these tables that exists, and the names of its columns. Raises UnreadableSource."""
        for table in tables:
            if columns := self._connection.columns(table):
                return table, columns
        raise UnreadableSource(f"The database has no table {' or '.join(tables)}.")

    def _wanted(self, details: Sequence[str], columns: Sequence[str]) -> list[str]:
        """Return which columns of the table of details to read beside those of the table of users."""
        known = {name for names in self._system.columns.values() for name in names}
        return [name for name in details if name in known and name not in columns]
