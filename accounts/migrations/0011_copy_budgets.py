from datetime import timedelta
from typing import Any

from django.db import migrations
from django.db.models import Q
from django.utils import timezone

BATCH = 1000
ADDRESS_KNOWN = timedelta(days=30)
# The former table marked by this address what is counted over all addresses.
ALL_ADDRESSES = "*"
OF_ADDRESS = {"": "address", "registration": "registration", "codes": "codes:address"}
OF_ACCOUNT = {
    **{f"code:{purpose}": f"code:{purpose}:check" for purpose in ("reset", "email", "phone")},
    **{f"code:{p}:{period}": f"code:{p}:{period}" for p in ("reset", "email", "phone") for period in ("day", "minute")},
}
# A digest of a name that no account has. Those of its codes are digests of a digest, of another length, which cannot
# be told apart: the counts of unknown names' codes begin anew.
LENGTH_OF_NAME_DIGEST = 64

def key_of(account_id: int, digest: str, address: str) -> dict[str, Any] | None:
    """Return the new key of a former row, or None where it has none."""
    everywhere = address == ALL_ADDRESSES
    is_name = len(digest) == LENGTH_OF_NAME_DIGEST
    if account_id and digest in OF_ACCOUNT:
        purpose = OF_ACCOUNT[digest]
        return {"purpose": purpose, "account_id": account_id, "name_digest": "", "address": ""}
    if (account_id and not digest) or (not account_id and is_name):
        purpose = "login:unknown_addresses" if everywhere else "login"
    elif not account_id and digest in OF_ADDRESS and not everywhere:
        purpose = OF_ADDRESS[digest]
    else:
        return None
    kept = {"account_id": account_id, "name_digest": digest if is_name else ""}
    return {"purpose": purpose, **kept, "address": "" if everywhere else address}


def converted(budget: Any, row: Any) -> Any:
    """Return the new row, not yet saved, or None; attempts in flight are settled in the former table."""
    key = key_of(row.account_id, row.name_digest, row.address)
    if key is None:
        return None
    return budget(
        **key,
        count=row.failed,
        locked_until=row.locked_until,
        locks=row.locks,
        last_success_at=row.last_success_at,
        expires_at=row.expires_at,
    )


def copy(apps: Any, schema_editor: Any) -> None:
    """Copy the counts, locks and known addresses that are in force; it may be interrupted and repeated."""
    budget, former = apps.get_model("accounts", "AttemptBudget"), apps.get_model("accounts", "LoginBudget")
    database, now = schema_editor.connection.alias, timezone.now()
    in_force = Q(expires_at__gt=now) | Q(last_success_at__gt=now - ADDRESS_KNOWN)
    rows = former.objects.using(database).filter(in_force).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        new = [made for row in batch if (made := converted(budget, row))]
        # What an interrupted run has copied, or a node of this release has counted since, stays as it is.
        budget.objects.using(database).bulk_create(new, ignore_conflicts=True)
        last = batch[-1].pk


class Migration(migrations.Migration):
    # A copy of many rows must not hold locks until its end.
    atomic = False
    dependencies = [("accounts", "0010_attempt_budget")]
    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        # The table stays for nodes of the previous release; a later release drops it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("LoginBudget")]),
    ]
