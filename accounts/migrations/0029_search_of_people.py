from typing import Any

from django.db import NotSupportedError, ProgrammingError, migrations, models

from audit.online_indexes import AddIndexOnline, add_index_by_statement

# The columns of a search of people, as Django compares them with LIKE.
_INDEX = """
CREATE INDEX CONCURRENTLY user_search ON accounts_user USING gin (
    username_key gin_trgm_ops, email_key gin_trgm_ops, phone gin_trgm_ops,
    UPPER(full_name::text) gin_trgm_ops, UPPER(department::text) gin_trgm_ops
)
"""


def index_trigrams(apps: Any, schema_editor: Any) -> None:
    # A search works without the index and reads every account then; docs/postgresql.md says how to make it later.
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        add_index_by_statement(schema_editor, apps.get_model("accounts", "User"), "user_search", _INDEX)
    except (NotSupportedError, ProgrammingError) as error:
        print(f"\n    The index for the search of people was not made: {str(error).splitlines()[0]}")


def drop_index(apps: Any, schema_editor: Any) -> None:
    # The extension stays: others may use it.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS user_search")


class Migration(migrations.Migration):
    # An index is made concurrently outside a transaction alone.
    atomic = False
    dependencies = [("accounts", "0028_new_devices"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        AddIndexOnline("user", models.Index(fields=["department"], name="user_department")),
        AddIndexOnline("user", models.Index(fields=["job_title"], name="user_job_title")),
        migrations.RunPython(index_trigrams, drop_index),
    ]
