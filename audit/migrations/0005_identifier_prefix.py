from typing import Any

from django.db import migrations

NAME = "attempt_identifier"
# What serves `istartswith` differs: a search from the beginning, whatever its case.
COLUMNS = {
    "postgresql": "upper(identifier::text) text_pattern_ops",
    "mysql": "identifier",
    "sqlite": "identifier COLLATE NOCASE",
}


def add_index(apps: Any, schema_editor: Any) -> None:
    columns = COLUMNS[schema_editor.connection.vendor]
    schema_editor.execute(f"CREATE INDEX {NAME} ON audit_loginattempt ({columns})")


def remove_index(apps: Any, schema_editor: Any) -> None:
    table = " ON audit_loginattempt" if schema_editor.connection.vendor == "mysql" else ""
    schema_editor.execute(f"DROP INDEX {NAME}{table}")


class Migration(migrations.Migration):
    # MySQL cannot take a new index back, and Django asks for none in a transaction there.
    atomic = False
    dependencies = [("audit", "0004_screens")]
    operations = [migrations.RunPython(add_index, remove_index)]
