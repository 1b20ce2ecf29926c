from django.db import migrations, models


class Migration(migrations.Migration):
    # Only the name in the code changes: the previous release still reads and writes the column `sealed`.

    dependencies = [("accounts", "0008_labels")]

    operations = [
        migrations.AlterField("message", "sealed", models.TextField(db_column="sealed", editable=False)),
        migrations.RenameField("message", "sealed", "encrypted"),
    ]
