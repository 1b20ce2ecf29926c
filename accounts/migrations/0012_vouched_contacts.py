from django.db import migrations, models


class Migration(migrations.Migration):
    # The database's default lets the previous release, which does not know the columns, insert rows.
    dependencies = [("accounts", "0011_copy_budgets")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="vouched_email",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=254),
        ),
        migrations.AddField(
            model_name="user",
            name="vouched_phone",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=16),
        ),
    ]
