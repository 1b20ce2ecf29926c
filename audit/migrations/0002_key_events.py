
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='securityevent',
            name='event',
            field=models.CharField(choices=[('user:registered', 'user:registered'), ('user:created', 'user:created'), ('user:changed', 'user:changed'), ('user:deleted', 'user:deleted'), ('user:activated', 'user:activated'), ('user:deactivated', 'user:deactivated'), ('user:approved', 'user:approved'), ('user:role:changed', 'user:role:changed'), ('password:changed', 'password:changed'), ('account:locked', 'account:locked'), ('address:locked', 'address:locked'), ('session:refreshed', 'session:refreshed'), ('session:refresh:repeated', 'session:refresh:repeated'), ('session:refresh:reuse', 'session:refresh:reuse'), ('session:ended', 'session:ended'), ('key:rotated', 'key:rotated'), ('key:retired', 'key:retired')], max_length=50, verbose_name='event'),
        ),
    ]
