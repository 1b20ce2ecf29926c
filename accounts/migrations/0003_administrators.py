from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUP = "administrators"
PERMISSIONS = {
    "accounts": ["view_user", "change_user", "view_session", "end_session"],
    "audit": ["view_loginattempt", "view_securityevent"],
}


def make_group(apps: Any, schema_editor: Any) -> None:
    # Django makes permissions after all migrations; a group that holds some needs them now.
    for label in PERMISSIONS:
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
        config.models_module = None
    group, _made = apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)
    permissions = apps.get_model("auth", "Permission").objects
    for label, names in PERMISSIONS.items():
        group.permissions.add(*permissions.filter(content_type__app_label=label, codename__in=names))


def remove_group(apps: Any, schema_editor: Any) -> None:
    apps.get_model("auth", "Group").objects.filter(name=GROUP).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_canonical_columns"),
        ("audit", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_group, remove_group)]
