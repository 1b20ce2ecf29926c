from contextlib import nullcontext
from typing import Any

from django.db import migrations, transaction

from audit import guards


def create(apps: Any, schema_editor: Any) -> None:
    # PostgreSQL takes all of them back if it does not get a lock, so that the migration can be repeated.
    with transaction.atomic(schema_editor.connection.alias) if schema_editor.connection.vendor == "postgresql" else nullcontext():
        guards.create(schema_editor.execute)


def drop(apps: Any, schema_editor: Any) -> None:
    guards.drop(schema_editor.execute)


class Migration(migrations.Migration):
    # MariaDB cannot take a trigger back, and Django asks for none in a transaction there.
    atomic = False
    dependencies = [("audit", "0010_seal")]
    operations = [migrations.RunPython(create, drop)]
