from datetime import timedelta
from unittest import mock

import pytest
from django.db import IntegrityError, transaction
from django.db.models import CharField, DateTimeField, F
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.tests.races import race
from audit.prepared import PreparedInsert, PreparedRows, PreparedUpdate, update_query

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
