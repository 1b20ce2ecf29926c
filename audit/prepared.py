"""Statements whose SQL is made once, not once a request.

To build and to compile a statement takes Django longer than everything else that a login or an authenticated request
does, except for the hash, and comes to the same text every time. The ORM makes the text here as well; only the values
of its parameters are put in anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query import get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=models.Model)


class Parameter(models.Value):
    """A value that is known only when the statement runs; it has the type of `field`.

    `parameter + timedelta` and `parameter - timedelta` are the value moved by that much, worked out in Python.
    """

    def __init__(self, name: str, field: "models.Field[Any, Any]", offset: timedelta | None = None) -> None:
        # A JSONField takes the value out of a Value of its own kind as soon as the statement is compiled.
        super().__init__(None, output_field=models.TextField() if isinstance(field, models.JSONField) else field)
        self.name = name
        self._stored_as = field
        self.offset = offset

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]

    def __add__(self, offset: timedelta) -> "Parameter":  # type: ignore[override]
        return Parameter(self.name, self._stored_as, (self.offset or timedelta()) + offset)

    def __sub__(self, offset: timedelta) -> "Parameter":  # type: ignore[override]
        return self + -offset

    def stored(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> Any:
        """Return the value as the database's driver takes it."""
        value = values[self.name]
        if self.offset is not None:
            value += self.offset
        return self._stored_as.get_db_prep_value(value, connection)

    def __hash__(self) -> int:
        return hash((self.name, self.offset))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameter) and (self.name, self.offset) == (other.name, other.offset)


class _Text:
    """The text of a statement, and its parameters in their order: constants, and those that get their values anew."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self.sql = sql
        self._constants = list(parameters)
        self._parameters = [(place, each) for place, each in enumerate(parameters) if isinstance(each, Parameter)]

    def parameters(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> list[Any]:
        parameters = self._constants.copy()
        for place, parameter in self._parameters:
            parameters[place] = parameter.stored(values, connection)
        return parameters


class PreparedRows(Generic[M]):
    """A query for rows of a model. `build` makes it from a `Parameter` for each of `fields`."""

    def __init__(self, build: Callable[..., models.QuerySet[M]], **fields: "models.Field[Any, Any]") -> None:
        self._build = build
        self._parameters = _parameters(fields)
        self._compiled: dict[str, _Rows[M]] = {}

    def first(self, **values: Any) -> M | None:
        """Return the first row, or None."""
        return next(self._rows(values), None)

    def all(self, **values: Any) -> list[M]:
        return list(self._rows(values))

    def _rows(self, values: Mapping[str, Any]) -> Iterator[M]:
        connection = connections[DEFAULT_DB_ALIAS]
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = _Rows(self._build(**self._parameters), connection)
        return compiled.read(values, connection)


class _Rows(Generic[M]):
    """A compiled query, and how its rows become instances."""

    def __init__(self, rows: models.QuerySet[M], connection: BaseDatabaseWrapper) -> None:
        compiler = rows.query.get_compiler(connection=connection)
        self._text = _Text(*compiler.as_sql())
        select, info = compiler.select, compiler.klass_info
        self._converters = compiler.get_converters([expression for expression, _sql, _alias in select])
        self._model: type[M] = info["model"]
        columns = info["select_fields"]
        self._columns = slice(columns[0], columns[-1] + 1)
        self._names = [expression.target.attname for expression, _sql, _alias in select[self._columns]]
        self._related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # The stubs are of a later Django.
        self._annotations = dict(compiler.annotation_col_map or {})

    def read(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> Iterator[M]:
        with connection.cursor() as cursor:
            cursor.execute(self._text.sql, self._text.parameters(values, connection))
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


class PreparedUpdate:
    """An UPDATE. `build` makes it by `update_query` from a `Parameter` for each of `fields`."""

    def __init__(self, build: Callable[..., UpdateQuery], **fields: "models.Field[Any, Any]") -> None:
        self._build = build
        self._parameters = _parameters(fields)
        self._compiled: dict[str, _Text] = {}

    def execute(self, **values: Any) -> int:
        """Return how many rows the conditions matched."""
        connection = connections[DEFAULT_DB_ALIAS]
        text = self._compiled.get(connection.vendor)
        if text is None:
            query = self._build(**self._parameters)
            text = self._compiled[connection.vendor] = _Text(*query.get_compiler(connection=connection).as_sql())
        return _execute(text, values, connection)


def _parameters(fields: "Mapping[str, models.Field[Any, Any]]") -> dict[str, Parameter]:
    return {name: Parameter(name, field) for name, field in fields.items()}


def update_query(rows: models.QuerySet[Any], **assignments: Any) -> UpdateQuery:
    """Return what `rows.update(**assignments)` would run."""
    query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
    query.add_update_values(assignments)
    query.annotations = {}
    return query


class PreparedInsert(Generic[M]):
    """The INSERT of one new instance. An id that the database makes is not read back; `own_id` is the instance's."""

    def __init__(self, model: type[M], *, own_id: bool = False) -> None:
        self._model = model
        fields = model._meta.local_concrete_fields
        self._fields = [field for field in fields if own_id or not isinstance(field, models.AutoField)]
        self._compiled: dict[str, _Text] = {}

    def execute(self, instance: M) -> None:
        """Insert the row of an instance that has none. Raises IntegrityError."""
        connection = connections[DEFAULT_DB_ALIAS]
        _execute(self._text(connection), self._values(instance), connection)
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS

    def execute_many(self, instances: Iterable[M]) -> None:
        """Insert the rows of instances that have none, in as few round trips as the driver needs.

        Raises IntegrityError.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        text = self._text(connection)
        rows = [text.parameters(self._values(instance), connection) for instance in instances]
        with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.executemany(text.sql, rows)

    def _values(self, instance: M) -> dict[str, Any]:
        return {field.attname: field.pre_save(instance, add=True) for field in self._fields}

    def _text(self, connection: BaseDatabaseWrapper) -> _Text:
        if connection.vendor not in self._compiled:
            self._compiled[connection.vendor] = self._compile(connection)
        return self._compiled[connection.vendor]

    def _compile(self, connection: BaseDatabaseWrapper) -> _Text:
        query = InsertQuery(self._model)
        template = self._model(**{field.attname: Parameter(field.attname, field) for field in self._fields})
        query.insert_values(self._fields, [template])
        ((sql, parameters),) = query.get_compiler(connection=connection).as_sql()
        return _Text(sql, parameters)


def _execute(text: _Text, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> int:
    with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
        cursor.execute(text.sql, text.parameters(values, connection))
        return int(cursor.rowcount)
