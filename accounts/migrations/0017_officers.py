from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

PERMISSIONS = {
    "system_administrators": [
        ("accounts", "view_user"),
        ("accounts", "add_user"),
        ("accounts", "change_user"),
        ("accounts", "view_session"),
        ("accounts", "view_message"),
    ],
    "security_officers": [
        ("accounts", "view_user"),
        ("accounts", "unlock_user"),
        ("accounts", "view_session"),
        ("accounts", "end_session"),
    ],
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
    names = ["system_administrators", "security_officers"]
    apps.get_model("auth", "Group").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_people_read"),
        ("audit", "0012_purge_events"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "ordering": ["-id"],
                "permissions": [("unlock_user", "Can unlock users"), ("grant_group", "Can grant groups")],
                "verbose_name": "user",
                "verbose_name_plural": "users",
            },
        ),
        migrations.RunPython(grant, take_back),
    ]
