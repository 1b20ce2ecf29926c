from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

PERMISSIONS = {
    "administrators": [("accounts", "add_user")],
    "auditors": [("audit", "view_loginattempt"), ("audit", "view_securityevent")],
}


def grant(apps: Any, schema_editor: Any) -> None:
    for label in ("accounts", "audit"):
        # Django makes permissions after all migrations; a group that holds some needs them now.
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    for name, granted in PERMISSIONS.items():
        group, _made = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        for label, codename in granted:
            group.permissions.add(permissions.get(content_type__app_label=label, codename=codename))


def take_back(apps: Any, schema_editor: Any) -> None:
    apps.get_model("auth", "Group").objects.filter(name="auditors").delete()
    for group in apps.get_model("auth", "Group").objects.filter(name="administrators"):
        group.permissions.remove(*group.permissions.filter(content_type__app_label="accounts", codename="add_user"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_recovery"),
        ("audit", "0004_screens"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(grant, take_back)]
