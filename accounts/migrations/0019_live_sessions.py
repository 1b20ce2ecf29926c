from django.db import migrations, models

from audit.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0018_active_sessions")]
    operations = [
        AddIndexOnline(
            model_name="session",
            index=models.Index(fields=["user", "contract", "ended_at", "expires_at"], name="session_live"),
        ),
    ]
