"""Prepared queries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query import get_related_populators

from audit.prepared.text import StatementText, parameters_of

M = TypeVar("M", bound=models.Model)


class PreparedRows(Generic[M]):
    """A query for rows of a model. `build` makes it from a `Parameter` for each of `fields`."""

    def __init__(self, build: Callable[..., models.QuerySet[M]], **fields: "models.Field[Any, Any]") -> None:
        self._build = build
        self._parameters = parameters_of(fields)
        self._compiled: dict[str, CompiledRows[M]] = {}

    def first(self, **values: Any) -> M | None:
        """Return the first row, or None."""
        return next(self._rows(values), None)

    def all(self, **values: Any) -> list[M]:
        return list(self._rows(values))

    def compiled(self, connection: BaseDatabaseWrapper) -> "CompiledRows[M]":
        found = self._compiled.get(connection.vendor)
        if found is None:
            found = self._compiled[connection.vendor] = CompiledRows(self._build(**self._parameters), connection)
        return found

    def _rows(self, values: Mapping[str, Any]) -> Iterator[M]:
        connection = connections[DEFAULT_DB_ALIAS]
        rows = self.compiled(connection)
        return rows.read(rows.text.sql, rows.text.parameters(values, connection), connection)


class CompiledRows(Generic[M]):
    """A compiled query, and how its rows become instances."""

    def __init__(self, rows: models.QuerySet[M], connection: BaseDatabaseWrapper) -> None:
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        self.text = StatementText(sql, parameters, connection)
        self.table = rows.model._meta.db_table
        select, info = compiler.select, compiler.klass_info
        self._converters = compiler.get_converters([expression for expression, _sql, _alias in select])
        self._model: type[M] = info["model"]
        columns = info["select_fields"]
        self._columns = slice(columns[0], columns[-1] + 1)
        self._names = [expression.target.attname for expression, _sql, _alias in select[self._columns]]
        self._related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # The stubs are of a later Django.
        self._annotations = dict(compiler.annotation_col_map or {})

    def read(self, sql: str, parameters: Sequence[Any], connection: BaseDatabaseWrapper) -> Iterator[M]:
        """Return the rows of the query, or of a statement that returns the same columns."""
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            found = cursor.fetchall()
        for row in found:
            yield self._instance(list(row), connection)

    def _instance(self, row: list[Any], connection: BaseDatabaseWrapper) -> M:
        for place, (converters, expression) in self._converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        instance = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._columns])
        for populator in self._related:
            populator.populate(row, instance)
        for name, place in self._annotations.items():
            setattr(instance, name, row[place])
        return instance
