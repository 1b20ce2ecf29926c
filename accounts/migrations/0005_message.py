from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

GROUP = "administrators"


def let_administrators_view(apps: Any, schema_editor: Any) -> None:
    # Django makes permissions after all migrations; the group that holds this one needs it now.
    config = apps.get_app_config("accounts")
    config.models_module = True
    create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    config.models_module = None
    group, _made = apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)
    permissions = apps.get_model("auth", "Permission").objects
    group.permissions.add(permissions.get(content_type__app_label="accounts", codename="view_message"))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_key_rotation'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='language',
            field=models.CharField(blank=True, choices=[('zh-hans', '简体中文'), ('en', 'English')], default='', max_length=10, verbose_name='language'),
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('phone', 'phone')], max_length=10, verbose_name='channel')),
                ('address', models.CharField(max_length=254, verbose_name='address')),
                ('kind', models.CharField(choices=[('reset_code', 'code for a new password'), ('verification_code', 'code to confirm an address'), ('password_changed', 'password changed'), ('password_reset', 'password reset'), ('email_changed', 'e-mail address changed'), ('phone_changed', 'phone number changed')], max_length=30, verbose_name='kind')),
                ('language', models.CharField(choices=[('zh-hans', '简体中文'), ('en', 'English')], max_length=10, verbose_name='language')),
                ('sealed', models.TextField(editable=False)),
                ('state', models.CharField(choices=[('queued', 'queued'), ('claimed', 'claimed'), ('sending', 'being sent'), ('delivered', 'delivered'), ('unknown', 'unknown whether delivered'), ('dead', 'given up')], default='queued', max_length=10, verbose_name='state')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('next_try_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next try')),
                ('lease_until', models.DateTimeField(null=True, verbose_name='claimed until')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('delivered_at', models.DateTimeField(null=True, verbose_name='delivered')),
                ('user', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'message',
                'verbose_name_plural': 'messages',
                'ordering': ['-id'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['state', 'next_try_at'], name='message_due'), models.Index(fields=['user', '-id'], name='message_user')],
            },
        ),
        migrations.RunPython(let_administrators_view, migrations.RunPython.noop),
    ]
