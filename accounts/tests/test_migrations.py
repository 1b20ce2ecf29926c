from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps as global_apps
from django.db import connection
from django.db.migrations import AddIndex
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.security.budgets import Account
from accounts.tests.tools import HERE
from audit.models import SecurityEvent

COPY_BUDGETS = import_module("accounts.migrations.0011_copy_budgets")
NAME = Account.unknown("ghost").name_digest

pytestmark = pytest.mark.django_db


@pytest.fixture
def apps() -> Any:
    """Return the models as they were before the copy; the former table is still there."""
    return MigrationExecutor(connection).loader.project_state(("accounts", "0010_attempt_budget")).apps


def copied(apps: Any, **columns: Any) -> list[dict[str, Any]]:
    """Return the rows, but for their ids, that a former row of these columns becomes."""
    defaults = {"expires_at": timezone.now() + timedelta(hours=1), "address": HERE}
    apps.get_model("accounts", "LoginBudget").objects.create(**{**defaults, **columns})
    COPY_BUDGETS.copy(apps, SimpleNamespace(connection=connection))
    return [dict(row) for row in AttemptBudget.objects.values()]


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("purpose", "account_id", "name_digest", "address"))


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ((7, "", HERE), ("login", 7, "", HERE)),
        ((7, "", "*"), ("login:unknown_addresses", 7, "", "")),
        ((0, NAME, HERE), ("login", 0, NAME, HERE)),
        ((0, NAME, "*"), ("login:unknown_addresses", 0, NAME, "")),
        ((0, "", HERE), ("address", 0, "", HERE)),
        ((0, "registration", HERE), ("registration", 0, "", HERE)),
        ((0, "codes", HERE), ("codes:address", 0, "", HERE)),
        ((7, "code:reset", "*"), ("code:reset:check", 7, "", "")),
        ((7, "code:email:day", "*"), ("code:email:day", 7, "", "")),
        ((7, "code:phone:minute", "*"), ("code:phone:minute", 7, "", "")),
    ],
)
def test_a_budget_in_force_keeps_its_key(apps: Any, former: tuple[Any, ...], present: tuple[Any, ...]) -> None:
    columns = dict(zip(("account_id", "name_digest", "address"), former, strict=True))
    assert [key(row) for row in copied(apps, **columns)] == [present]


def test_a_budget_in_force_keeps_its_counts_and_times_but_not_what_is_in_flight(apps: Any) -> None:
    now = timezone.now().replace(microsecond=0)
    kept = {
        "locked_until": now + timedelta(minutes=5),
        "locks": 2,
        "last_success_at": now,
        "expires_at": now + timedelta(days=1),
    }
    (row,) = copied(apps, account_id=7, failed=3, in_flight=4, **kept)
    assert {name: row[name] for name in (*kept, "count", "in_flight")} == {**kept, "count": 3, "in_flight": 0}


def test_a_known_address_is_copied_after_its_counts_have_expired(apps: Any) -> None:
    now = timezone.now()
    expired = {"account_id": 7, "expires_at": now - timedelta(days=1)}
    assert len(copied(apps, **expired, last_success_at=now - timedelta(days=29))) == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"account_id": 7, "expires_at": timezone.now() - timedelta(seconds=1)},
        {"name_digest": "0" * 40, "address": "*"},
    ],
    ids=["expired", "codes of an unknown name"],
)
def test_what_is_not_in_force_or_has_no_key_is_not_copied(apps: Any, columns: dict[str, Any]) -> None:
    assert copied(apps, **columns) == []


def test_a_repeated_copy_changes_nothing_that_was_counted_since(apps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COPY_BUDGETS, "BATCH", 2)
    for account in range(1, 5):
        copied(apps, account_id=account, failed=1)
    AttemptBudget.objects.filter(account_id=1).update(count=4)
    copied(apps, account_id=5, failed=1)
    counts = AttemptBudget.objects.order_by("account_id").values_list("account_id", "count")
    assert list(counts) == [(1, 4), (2, 1), (3, 1), (4, 1), (5, 1)]


VOUCH = import_module("accounts.migrations.0013_vouch_contacts")
BY_ANOTHER, BY_ITSELF = 1, 2


def event(kind: str, actor: int | None, *fields: str) -> SecurityEvent:
    detail = {"fields": list(fields)} if fields else {"role": "viewer"}
    return SecurityEvent(event=kind, contract="native", user_id=BY_ITSELF, actor_id=actor, detail=detail)


@pytest.mark.parametrize(
    ("events", "vouched"),
    [
        ([("user:created", BY_ANOTHER)], ("carol@b.cn", "+8613912345678")),
        ([("user:created", None)], ("carol@b.cn", "+8613912345678")),
        ([("user:registered", BY_ITSELF)], ("", "")),
        ([], ("", "")),
        ([("user:created", BY_ANOTHER), ("user:changed", BY_ITSELF, "email")], ("", "+8613912345678")),
        ([("user:created", BY_ANOTHER), ("user:changed", BY_ITSELF, "full_name")], ("carol@b.cn", "+8613912345678")),
        ([("user:registered", BY_ITSELF), ("user:changed", BY_ANOTHER, "phone", "role")], ("", "+8613912345678")),
        ([("user:changed", BY_ANOTHER, "email"), ("user:changed", BY_ITSELF, "email")], ("", "")),
    ],
)
def test_contacts_that_the_account_itself_gave_last_are_not_vouched_for(
    events: list[Any], vouched: tuple[str, str]
) -> None:
    User.objects.create(pk=BY_ITSELF, username="carol", email="Carol@b.cn", phone="13912345678")
    SecurityEvent.objects.bulk_create(event(*each) for each in events)
    VOUCH.vouch(global_apps, SimpleNamespace(connection=connection))
    assert User.objects.values_list("vouched_email", "vouched_phone").get() == vouched


def test_an_absent_contact_is_not_vouched_for(db: None) -> None:
    User.objects.create(pk=BY_ITSELF, username="carol")
    SecurityEvent.objects.bulk_create([event("user:created", BY_ANOTHER)])
    VOUCH.vouch(global_apps, SimpleNamespace(connection=connection))
    assert User.objects.values_list("vouched_email", "vouched_phone").get() == ("", "")


def test_the_documented_statement_makes_the_index_of_the_search_that_the_migration_makes() -> None:
    document = Path("docs/postgresql.md").read_text(encoding="utf-8")
    index = import_module("accounts.migrations.0029_search_of_people")._INDEX
    assert " ".join(index.split()) in " ".join(document.split())


@pytest.mark.parametrize(("app", "since"), [("accounts", 18), ("audit", 18)])
def test_no_index_is_added_that_keeps_writers_waiting(app: str, since: int) -> None:
    migrations = MigrationExecutor(connection).loader.disk_migrations
    added = [
        name
        for (label, name), migration in migrations.items()
        if label == app and int(name[:4]) >= since
        for operation in migration.operations
        if type(operation) is AddIndex
    ]
    assert added == []
