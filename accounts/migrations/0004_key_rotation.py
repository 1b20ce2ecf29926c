from datetime import timedelta

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_administrators")]
    operations = [
        # No token lives longer than this, whichever key of those made before has signed it.
        migrations.AddField("signingkey", "lifetime", models.DurationField(default=timedelta(days=30)), False),
        migrations.AddField(
            "signingkey", "verifies_until", models.DateTimeField(null=True, verbose_name="verifies until")
        ),
    ]
