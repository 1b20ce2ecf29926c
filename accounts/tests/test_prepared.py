import pytest

from accounts.models import User
from accounts.models.prepared import Prepared
from accounts.tests.races import race

pytestmark = pytest.mark.django_db


def by_key() -> Prepared[User]:
    return Prepared(lambda **columns: User.objects.filter(**columns).order_by(), username_key="-")


def test_it_finds_the_row_of_each_value(alice: User, bob: User) -> None:
    query = by_key()
    assert [query.get(username_key=name) for name in ("alice", "bob", "alice", "nobody")] == [alice, bob, alice, None]


def test_it_takes_one_statement(alice: User, statements: object) -> None:
    query = by_key()
    with statements() as captured:  # type: ignore[operator]
        query.get(username_key="alice")
        query.get(username_key="alice")
    assert len(captured.sql) == 2


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
def test_threads_do_not_find_each_others_rows(alice: User, bob: User) -> None:
    query = by_key()
    names = ["alice", "bob"] * 4
    found = race(8, lambda number: [query.get(username_key=names[number]) for _ in range(50)])
    assert [{user.username for user in users} for users in found] == [{name} for name in names]
