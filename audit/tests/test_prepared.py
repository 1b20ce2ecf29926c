from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, transaction
from django.db.models import CharField, DateTimeField, F, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.forms import model_to_dict
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.tests.databases import count_by_database
from accounts.tests.races import race
from audit.prepared import (
    PreparedInsert,
    PreparedRows,
    PreparedUpdate,
    PreparedUpdateAndInsert,
    PreparedUpdatedRow,
    update_query,
)

pytestmark = pytest.mark.django_db


def by_key() -> PreparedRows[User]:
    return PreparedRows(lambda **columns: User.objects.filter(**columns).order_by(), username_key=CharField())


def test_it_finds_the_row_of_each_value(alice: User, bob: User) -> None:
    query = by_key()
    assert [query.first(username_key=name) for name in ("alice", "bob", "alice", "nobody")] == [alice, bob, alice, None]


def test_an_instance_has_the_columns_that_the_orm_reads(alice: User) -> None:
    found = by_key().first(username_key="alice")
    assert found
    names = [field.attname for field in User._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == User.objects.values(*names).get()
    assert found.changed_since_read(User.tracked_fields) == set()


def test_it_is_compiled_once(alice: User, statements: object) -> None:
    query = by_key()
    query.first(username_key="alice")
    with mock.patch.object(SQLCompiler, "as_sql", side_effect=AssertionError), statements() as captured:  # type: ignore[operator]
        assert query.all(username_key="alice") == [alice]
    assert len(captured.sql) == 1


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_find_each_others_rows(alice: User, bob: User) -> None:
    query = by_key()
    names = ["alice", "bob"] * 4
    found = race(8, lambda number: [query.first(username_key=names[number]) for _ in range(50)])
    assert [{user.username for user in users} for users in found] == [{name} for name in names]


def test_an_update_returns_how_many_rows_it_matched(alice: User, bob: User) -> None:
    rename = PreparedUpdate(
        lambda key, name: update_query(User.objects.filter(username_key=key), nickname=name),
        key=CharField(),
        name=CharField(),
    )
    assert [rename.execute(key="alice", name="Ali"), rename.execute(key="nobody", name="No")] == [1, 0]
    assert dict(User.objects.values_list("username", "nickname")) == {"alice": "Ali", "bob": ""}


def test_a_time_is_moved_by_what_was_added_to_its_parameter(alice: User) -> None:
    now = timezone.now()
    statement = PreparedUpdate(
        lambda now: update_query(User.objects.filter(created_at__gt=now - timedelta(1)), last_login=now + timedelta(2)),
        now=DateTimeField(),
    )
    assert [statement.execute(now=now + timedelta(3)), statement.execute(now=now)] == [0, 1]
    assert User.objects.get(last_login=now + timedelta(2)) == alice


def test_an_insert_writes_every_column_and_refuses_a_second_row() -> None:
    key = {"purpose": "login", "account_id": 7, "address": "192.0.2.1"}
    row = AttemptBudget(**key, expires_at=timezone.now(), count=3)
    insert = PreparedInsert(AttemptBudget)
    insert.execute(row)
    stored = AttemptBudget.objects.values().get(**key)
    assert stored == {field.attname: getattr(row, field.attname) for field in AttemptBudget._meta.concrete_fields} | {
        "id": stored["id"]
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        insert.execute(AttemptBudget(**key, expires_at=timezone.now()))


def test_a_constant_keeps_its_value(alice: User) -> None:
    statement = PreparedUpdate(
        lambda key: update_query(User.objects.filter(username_key=key), nickname=F("username"), department="Ward 7"),
        key=CharField(),
    )
    statement.execute(key="alice")
    assert User.objects.values_list("nickname", "department").get() == ("alice", "Ward 7")


def by_name(key: Any) -> QuerySet[User]:
    users: QuerySet[User] = User.objects.filter(username_key=key).order_by()
    return users


@pytest.fixture
def name_once() -> PreparedUpdate:
    """Gives a nickname to a user who has none."""
    return PreparedUpdate(
        lambda key, nickname: update_query(by_name(key).filter(nickname=""), nickname=nickname),
        key=CharField(),
        nickname=CharField(),
    )


@pytest.fixture
def rename(name_once: PreparedUpdate) -> PreparedUpdatedRow[User]:
    return PreparedUpdatedRow(name_once, PreparedRows(by_name, key=CharField()))


@pytest.fixture
def rename_and_count(name_once: PreparedUpdate) -> PreparedUpdateAndInsert[AttemptBudget]:
    return PreparedUpdateAndInsert(name_once, PreparedInsert(AttemptBudget))


def test_an_updated_row_is_returned_as_it_is_afterwards(rename: PreparedUpdatedRow[User], alice: User) -> None:
    renamed = rename.execute(key="alice", nickname="Ally")
    stored = User.objects.get(username_key="alice")
    assert renamed is not None
    assert (model_to_dict(renamed), renamed.nickname) == (model_to_dict(stored), "Ally")


def test_a_row_that_the_conditions_do_not_match_is_not_returned(rename: PreparedUpdatedRow[User], alice: User) -> None:
    rename.execute(key="alice", nickname="Ally")
    assert rename.execute(key="alice", nickname="Al") is None
    assert User.objects.get(username_key="alice").nickname == "Ally"


def test_postgresql_updates_and_reads_a_row_by_one_statement(
    rename: PreparedUpdatedRow[User], alice: User, statements: object
) -> None:
    with statements() as captured:  # type: ignore[operator]
        rename.execute(key="alice", nickname="Ally")
    assert len(captured.sql) == count_by_database(postgresql=1, others=2)


KEY = {"purpose": "login", "account_id": 7, "address": "192.0.2.1"}


def test_an_instance_is_inserted_where_the_update_has_matched(
    rename_and_count: PreparedUpdateAndInsert[AttemptBudget], alice: User
) -> None:
    row = AttemptBudget(**KEY, expires_at=timezone.now(), count=3)
    assert rename_and_count.execute(row, key="alice", nickname="Ally")
    stored = AttemptBudget.objects.get(**KEY)
    row.pk = stored.pk
    assert (model_to_dict(stored), stored.expires_at) == (model_to_dict(row), row.expires_at)
    assert User.objects.get(username_key="alice").nickname == "Ally"
    assert not row._state.adding


def test_no_instance_is_inserted_where_the_update_has_not_matched(
    rename_and_count: PreparedUpdateAndInsert[AttemptBudget], alice: User
) -> None:
    row = AttemptBudget(**KEY, expires_at=timezone.now())
    assert not rename_and_count.execute(row, key="bob", nickname="Bobby")
    assert (AttemptBudget.objects.exists(), row._state.adding) == (False, True)


def test_a_second_instance_with_one_key_is_refused_together_with_the_update(
    rename_and_count: PreparedUpdateAndInsert[AttemptBudget], alice: User
) -> None:
    AttemptBudget.objects.create(**KEY, expires_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        rename_and_count.execute(AttemptBudget(**KEY, expires_at=timezone.now()), key="alice", nickname="Ally")
    assert User.objects.get(username_key="alice").nickname == ""


def test_postgresql_updates_and_inserts_by_one_statement(
    rename_and_count: PreparedUpdateAndInsert[AttemptBudget], alice: User, statements: object
) -> None:
    with statements() as captured:  # type: ignore[operator]
        rename_and_count.execute(AttemptBudget(**KEY, expires_at=timezone.now()), key="alice", nickname="Ally")
    assert len(captured.sql) == count_by_database(postgresql=1, others=2)
