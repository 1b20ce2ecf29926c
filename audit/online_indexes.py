"""Operations of migrations that add an index while the table is read and written.

On PostgreSQL they need a migration with `atomic = False`, and may be repeated after an interruption. MariaDB adds an
index so by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import NotSupportedError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import AddConstraint, AddIndex
from django.db.models import Index


class AddIndexOnline(AddIndex):
    """Adds an index, where there is none of its name that can be used."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if _exists(schema_editor, model, self.index.name):
            return
        if schema_editor.connection.vendor != "postgresql":
            schema_editor.add_index(model, self.index)
            return
        with _any_wait(schema_editor.connection):
            schema_editor.add_index(model, self.index, concurrently=True)


def add_index_by_statement(schema_editor: Any, model: Any, name: str, statement: str) -> None:
    """Add an index by a statement of PostgreSQL that makes it concurrently, where none of its name can be used."""
    if not _exists(schema_editor, model, name):
        with _any_wait(schema_editor.connection):
            schema_editor.execute(statement)


class AddUniqueConstraintOnline(AddConstraint):
    """Adds a unique constraint of columns, where there is none of its name."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model, connection = to_state.apps.get_model(app_label, self.model_name), schema_editor.connection
        name = self.constraint.name
        if not self.allow_migrate_model(connection.alias, model) or _is_constraint(connection, model, name):
            return
        if connection.vendor != "postgresql":
            # SQLite rebuilds the table for it; MariaDB allows no transaction here and needs none.
            with transaction.atomic(connection.alias) if connection.vendor == "sqlite" else nullcontext():
                schema_editor.add_constraint(model, self.constraint)
            return
        if not _exists(schema_editor, model, name):
            index = Index(fields=self.constraint.fields, name=name)  # type: ignore[attr-defined]  # It is unique.
            statement = str(index.create_sql(model, schema_editor, concurrently=True))
            with _any_wait(connection):
                schema_editor.execute(statement.replace("CREATE INDEX", "CREATE UNIQUE INDEX", 1), params=None)
        quoted, table = connection.ops.quote_name(name), connection.ops.quote_name(model._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {quoted} UNIQUE USING INDEX {quoted}")


def _exists(schema_editor: Any, model: Any, name: str) -> bool:
    """Return whether there is an index of that name; one that PostgreSQL left behind unfinished is removed."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return _is_constraint(connection, model, name)
    if connection.in_atomic_block:
        raise NotSupportedError("An index is added online by a migration with atomic = False alone.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        found = cursor.fetchone()
    if found and not found[0]:
        with _any_wait(connection):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {connection.ops.quote_name(name)}")
    return bool(found and found[0])


def _is_constraint(connection: BaseDatabaseWrapper, model: Any, name: str) -> bool:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass",
                [name, model._meta.db_table],
            )
            return cursor.fetchone() is not None
    with connection.cursor() as cursor:
        return name in connection.introspection.get_constraints(cursor, model._meta.db_table)


@contextmanager
def _any_wait(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait for locks without a limit: who builds an index concurrently keeps nobody waiting meanwhile."""
    if connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        # Behind a pooler the setting would stay in a connection that others share; `migrate` has set no limit there.
        yield
        return
    with connections[connection.alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', '0', false)")
        former = cursor.fetchone()[0]
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [former])
