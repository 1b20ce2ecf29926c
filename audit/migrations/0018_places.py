from typing import Any

from django.db import migrations, models

from audit import guards
from audit.online_indexes import AddUniqueConstraintOnline


def restore_guards(apps: Any, schema_editor: Any) -> None:
    # SQLite rebuilds a table to add a constraint, and drops its triggers with the former one.
    if schema_editor.connection.vendor == "sqlite":
        guards.drop(schema_editor.execute)
        guards.create(schema_editor.execute)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0017_reencryption_event")]
    operations = [
        AddUniqueConstraintOnline(
            model_name="loginattempt",
            constraint=models.UniqueConstraint(fields=("lane", "number"), name="loginattempt_place"),
        ),
        AddUniqueConstraintOnline(
            model_name="securityevent",
            constraint=models.UniqueConstraint(fields=("lane", "number"), name="securityevent_place"),
        ),
        migrations.RunPython(restore_guards, migrations.RunPython.noop),
    ]
