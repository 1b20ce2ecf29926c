"""Queries whose SQL is made once a thread, not once a request.

Building and compiling a query of two joined tables takes Django longer than everything else that an authenticated
request does, and comes to the same text every time.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


class Prepared(Generic[M]):
    """A query for one row by the values of some of its model's fields.

    `build` makes the query; `placeholders` are values of those fields that occur nowhere else in it.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M]], **placeholders: Any) -> None:
        self._build = build
        self._placeholders = placeholders
        # A compiled query belongs to its thread's connection.
        self._local = threading.local()

    def get(self, **values: Any) -> M | None:
        """Return the row whose fields have these values, or None."""
        if not hasattr(self._local, "compiled"):
            self._local.compiled = _Compiled(self._build(**self._placeholders), self._placeholders)
        compiled: _Compiled[M] = self._local.compiled
        return compiled.first(values)


class _Compiled(Generic[M]):
    """A query of one connection: its text, its parameters, and which of them stand for what."""

    def __init__(self, rows: models.QuerySet[M], placeholders: Mapping[str, Any]) -> None:
        self.rows = rows
        self.compiler = rows.query.get_compiler(connection=connection)
        self.sql, self.parameters = self.compiler.as_sql()
        self.places = {name: self.parameters.index(self._stored(name, value)) for name, value in placeholders.items()}
        # From now on the compiler, which remembers what it selects, is asked again and again for the same text.
        rows.query.get_compiler = lambda **_: self.compiler  # type: ignore[method-assign]

    def _stored(self, name: str, value: Any) -> Any:
        field = self.rows.model._meta.get_field(name)
        return field.get_db_prep_value(value, connection)  # type: ignore[union-attr]

    def first(self, values: Mapping[str, Any]) -> M | None:
        parameters = list(self.parameters)
        for name, value in values.items():
            parameters[self.places[name]] = self._stored(name, value)
        self.compiler.as_sql = lambda **_: (self.sql, tuple(parameters))
        found: Iterable[M] = self.rows._iterable_class(self.rows)  # type: ignore[assignment]  # The stubs lack __iter__.
        return next(iter(found), None)
