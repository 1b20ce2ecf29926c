"""Prepared updates and insertions."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql import InsertQuery, UpdateQuery

from audit.prepared.text import Parameter, StatementText, execute, parameters_of

M = TypeVar("M", bound=models.Model)


class PreparedUpdate:
    """An UPDATE. `build` makes it by `update_query` from a `Parameter` for each of `fields`."""

    def __init__(self, build: Callable[..., UpdateQuery], **fields: "models.Field[Any, Any]") -> None:
        self._build = build
        self._parameters = parameters_of(fields)
        self._compiled: dict[str, StatementText] = {}

    def execute(self, **values: Any) -> int:
        """Return how many rows the conditions matched."""
        connection = connections[DEFAULT_DB_ALIAS]
        text = self.text(connection)
        return execute(text.sql, text.parameters(values, connection), connection)

    def text(self, connection: BaseDatabaseWrapper) -> StatementText:
        found = self._compiled.get(connection.vendor)
        if found is None:
            query = self._build(**self._parameters)
            sql, parameters = query.get_compiler(connection=connection).as_sql()
            found = self._compiled[connection.vendor] = StatementText(sql, parameters, connection)
        return found


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
        self._computed = [field for field in self._fields if _is_computed(field)]
        self._compiled: dict[str, StatementText] = {}

    def execute(self, instance: M) -> None:
        """Insert the row of an instance that has none. Raises IntegrityError."""
        connection = connections[DEFAULT_DB_ALIAS]
        execute(self.text(connection).sql, self.parameters(instance, connection), connection)
        self.note(instance)

    def execute_many(self, instances: Iterable[M]) -> None:
        """Insert the rows of instances that have none, in as few round trips as the driver needs.

        Raises IntegrityError.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        text = self.text(connection)
        rows = [self.parameters(instance, connection) for instance in instances]
        with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.executemany(text.sql, rows)

    def parameters(self, instance: M, connection: BaseDatabaseWrapper) -> list[Any]:
        computed = {field.attname: field.pre_save(instance, add=True) for field in self._computed}
        return self.text(connection).parameters(vars(instance) | computed, connection)

    @staticmethod
    def note(instance: M) -> None:
        """Have the instance know that it has a row."""
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS

    def text(self, connection: BaseDatabaseWrapper) -> StatementText:
        if connection.vendor not in self._compiled:
            self._compiled[connection.vendor] = self._compile(connection)
        return self._compiled[connection.vendor]

    def _compile(self, connection: BaseDatabaseWrapper) -> StatementText:
        query = InsertQuery(self._model)
        template = self._model(**{field.attname: Parameter(field.attname, field) for field in self._fields})
        query.insert_values(self._fields, [template])
        ((sql, parameters),) = query.get_compiler(connection=connection).as_sql()
        return StatementText(sql, parameters, connection)


def _is_computed(field: "models.Field[Any, Any]") -> bool:
    """Return whether Django works the value of a field out when the row is saved, as it does for `auto_now`."""
    if isinstance(field, models.DateField):
        return field.auto_now or field.auto_now_add
    return type(field).pre_save is not models.Field.pre_save
