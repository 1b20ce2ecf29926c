from typing import Any

from django.db import migrations, models

CHOICES = [
    ("login", "Login"),
    ("login:unknown_addresses", "Login Unknown Addresses"),
    ("address", "Address"),
    ("registration", "Registration"),
    ("codes:address", "Codes Of Address"),
    ("code:reset:check", "Reset Check"),
    ("code:reset:day", "Reset Day"),
    ("code:reset:minute", "Reset Minute"),
    ("code:email:check", "Email Check"),
    ("code:email:day", "Email Day"),
    ("code:email:minute", "Email Minute"),
    ("code:phone:check", "Phone Check"),
    ("code:phone:day", "Phone Day"),
    ("code:phone:minute", "Phone Minute"),
]


def compare_byte_for_byte(apps: Any, schema_editor: Any) -> None:
    # As in 0002: MySQL's default collations hold jose and josé for equal.
    if schema_editor.connection.vendor != "mysql":
        return
    model = apps.get_model("accounts", "AttemptBudget")
    quote = schema_editor.quote_name
    for name in ("purpose", "name_digest", "address"):
        field = model._meta.get_field(name)
        schema_editor.execute(
            f"ALTER TABLE {quote(model._meta.db_table)} MODIFY {quote(field.column)} "
            f"varchar({field.max_length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"
        )


class Migration(migrations.Migration):
    # A new table in place of new columns: the previous release goes on counting in the former one while nodes are
    # upgraded one by one.
    dependencies = [("accounts", "0009_message_encrypted")]
    operations = [
        migrations.CreateModel(
            name="AttemptBudget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.CharField(choices=CHOICES, max_length=30)),
                ("account_id", models.BigIntegerField(default=0)),
                ("name_digest", models.CharField(blank=True, default="", max_length=64)),
                ("address", models.CharField(blank=True, default="", max_length=50)),
                ("count", models.PositiveSmallIntegerField(default=0)),
                ("in_flight", models.PositiveSmallIntegerField(default=0)),
                ("claims_expire_at", models.DateTimeField(null=True)),
                ("locked_until", models.DateTimeField(null=True)),
                ("locks", models.PositiveSmallIntegerField(default=0)),
                ("last_success_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField()),
                ("refused", models.PositiveIntegerField(default=0)),
                ("refusal_recorded_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "attempt budget",
                "verbose_name_plural": "attempt budgets",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("purpose", "account_id", "name_digest", "address"), name="attempt_budget_key"
                    )
                ],
            },
        ),
        # MySQL cannot take an ALTER TABLE back, so there it must run in no transaction.
        migrations.RunPython(compare_byte_for_byte, migrations.RunPython.noop, atomic=False),
    ]
