from typing import Any

from django.db import migrations

from audit import guards


def create(apps: Any, schema_editor: Any) -> None:
    guards.create(schema_editor.execute)


def drop(apps: Any, schema_editor: Any) -> None:
    guards.drop(schema_editor.execute)


class Migration(migrations.Migration):
    # MariaDB cannot take a trigger back, and Django asks for none in a transaction there.
    atomic = False
    dependencies = [("audit", "0010_seal")]
    operations = [migrations.RunPython(create, drop)]
