from typing import Any

from django.db import migrations

# MySQL's default collations hold jose and josé for equal; what is canonical already compares byte for byte.
COLUMNS = {
    "User": ["username_key", "email_key", "phone"],
    "LoginBudget": ["name_digest", "address"],
    "SigningKey": ["kid", "purpose"],
}


def compare_byte_for_byte(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "mysql":
        return
    quote = schema_editor.quote_name
    for model_name, columns in COLUMNS.items():
        model = apps.get_model("accounts", model_name)
        for name in columns:
            field = model._meta.get_field(name)
            null = "NULL" if field.null else "NOT NULL"
            schema_editor.execute(
                f"ALTER TABLE {quote(model._meta.db_table)} MODIFY {quote(field.column)} "
                f"varchar({field.max_length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin {null}"
            )


class Migration(migrations.Migration):
    # MySQL cannot take an ALTER TABLE back, so there is no transaction to run it in.
    atomic = False
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(compare_byte_for_byte, migrations.RunPython.noop)]
