from typing import Any

from django.db import migrations, models

_COLUMNS = {"email": "email_key", "phone": "phone"}
_EVENTS = ("user:registered", "user:created", "user:changed")
BATCH = 500


def vouch(apps: Any, schema_editor: Any) -> None:
    """Vouch for contacts that the account itself has not given last; it may be interrupted and repeated.

    Only the trail knows who has: an administrator, an import or a command creates an account with `user:created`, and
    `user:changed` names the fields and the actor. A contact of which the trail knows nothing stays unproved.
    """
    alias = schema_editor.connection.alias
    events = apps.get_model("audit", "SecurityEvent").objects.using(alias).filter(event__in=_EVENTS, user__isnull=False)
    given: dict[str, set[int]] = {contact: set() for contact in _COLUMNS}
    for event, user, actor, detail in events.order_by("id").values_list("event", "user_id", "actor_id", "detail").iterator():
        named = detail.get("fields", ()) if event == "user:changed" else _COLUMNS
        for contact in _COLUMNS.keys() & set(named):
            if event == "user:registered" or actor == user:
                given[contact].discard(user)
            else:
                given[contact].add(user)
    users = apps.get_model("accounts", "User").objects.using(alias)
    for contact, column in _COLUMNS.items():
        ids = sorted(given[contact])
        for start in range(0, len(ids), BATCH):
            rows = users.filter(pk__in=ids[start : start + BATCH], **{f"{column}__isnull": False})
            rows.update(**{f"vouched_{contact}": models.F(column)})


class Migration(migrations.Migration):
    # Updates of many rows must not hold locks until their end.
    atomic = False
    dependencies = [("accounts", "0012_vouched_contacts"), ("audit", "0007_contract_indexes")]
    operations = [migrations.RunPython(vouch, migrations.RunPython.noop, elidable=True)]
