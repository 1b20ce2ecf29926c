"""Two prepared statements that are one where another statement can read what an UPDATE returns (PostgreSQL)."""

from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.prepared.rows import PreparedRows
from audit.prepared.text import execute
from audit.prepared.writes import PreparedInsert, PreparedUpdate

M = TypeVar("M", bound=models.Model)


class PreparedUpdatedRow(Generic[M]):
    """An UPDATE, and a query that finds the row that it has changed."""

    def __init__(self, update: PreparedUpdate, rows: PreparedRows[M]) -> None:
        self._update = update
        self._rows = rows
        self._sql = ""

    def execute(self, **values: Any) -> M | None:
        """Return the row as it is after the UPDATE, or None where the conditions matched none."""
        connection = connections[DEFAULT_DB_ALIAS]
        if not _can_join(connection):
            return self._rows.first(**values) if self._update.execute(**values) else None
        update, rows = self._update.text(connection), self._rows.compiled(connection)
        # The query reads what the UPDATE returns in place of the table, which has the former row for it.
        self._sql = self._sql or f'WITH "{rows.table}" AS ({update.sql} RETURNING *) {rows.text.sql}'
        parameters = update.parameters(values, connection) + rows.text.parameters(values, connection)
        return next(rows.read(self._sql, parameters, connection), None)


class PreparedUpdateAndInsert(Generic[M]):
    """An UPDATE of one row, and the INSERT of an instance where there was such a row."""

    def __init__(self, update: PreparedUpdate, insert: PreparedInsert[M]) -> None:
        self._update = update
        self._insert = insert
        self._sql = ""

    def execute(self, instance: M, **values: Any) -> bool:
        """Return whether the conditions of the UPDATE, which takes the values, matched. Raises IntegrityError."""
        connection = connections[DEFAULT_DB_ALIAS]
        if not _can_join(connection):
            if not self._update.execute(**values):
                return False
            self._insert.execute(instance)
            return True
        update = self._update.text(connection)
        self._sql = self._sql or _insert_where_updated(update.sql, self._insert.text(connection).sql)
        parameters = update.parameters(values, connection) + self._insert.parameters(instance, connection)
        if not execute(self._sql, parameters, connection):
            return False
        self._insert.note(instance)
        return True


def _can_join(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "postgresql"


def _insert_where_updated(update: str, insert: str) -> str:
    into, values = insert.removesuffix(")").split(" VALUES (")
    return f"WITH updated AS ({update} RETURNING 1) {into} SELECT {values} FROM updated"  # noqa: S608 Both are the ORM's.
