from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class AlterFieldExceptOnSQLite(migrations.AlterField):
    """SQLite has no lengths and no such defaults, and would copy the table."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0021_heartbeat"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerHashKind",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("accounts", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ["-accounts", "name"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ImportedAccount",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("system", models.CharField(max_length=20)),
                ("former_id", models.PositiveBigIntegerField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ReservedIds",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.PositiveBigIntegerField()),
                ("last", models.PositiveBigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        AlterFieldExceptOnSQLite(
            model_name="user",
            name="created_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
        ),
        AlterFieldExceptOnSQLite(
            model_name="user",
            name="password",
            field=models.CharField(max_length=255, verbose_name="password"),
        ),
    ]
