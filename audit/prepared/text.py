"""The text of a prepared statement, and its parameters."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

# The fields whose values the driver of a database takes as they are. Django's checks of them were a seventh of the
# calls of a login.
_AS_THEY_ARE: Final = {
    "postgresql": frozenset(
        {
            models.BooleanField,
            models.CharField,
            models.DateField,
            models.DateTimeField,
            models.TextField,
            models.UUIDField,
        }
    )
}


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

    def is_plain(self, vendor: str) -> bool:
        """Return whether the driver of this database takes the value as it is."""
        return self.offset is None and type(self._stored_as) in _AS_THEY_ARE.get(vendor, ())

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


class StatementText:
    """The text of a statement, and its parameters in their order: constants, and those that get their values anew."""

    def __init__(self, sql: str, parameters: Sequence[Any], connection: BaseDatabaseWrapper) -> None:
        self.sql = sql
        self._constants = list(parameters)
        places = [(place, each) for place, each in enumerate(parameters) if isinstance(each, Parameter)]
        self._plain = [(place, each.name) for place, each in places if each.is_plain(connection.vendor)]
        self._parameters = [(place, each) for place, each in places if not each.is_plain(connection.vendor)]

    def parameters(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> list[Any]:
        parameters = self._constants.copy()
        for place, name in self._plain:
            parameters[place] = values[name]
        for place, parameter in self._parameters:
            parameters[place] = parameter.stored(values, connection)
        return parameters


def parameters_of(fields: "Mapping[str, models.Field[Any, Any]]") -> dict[str, Parameter]:
    return {name: Parameter(name, field) for name, field in fields.items()}


def execute(sql: str, parameters: Sequence[Any], connection: BaseDatabaseWrapper) -> int:
    """Return how many rows a statement has matched or inserted."""
    with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
