from contextlib import suppress

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.models import User
from accounts.transactions import ATTEMPTS, atomically


class Deadlock(Exception):
    sqlstate = "40P01"


def deadlock() -> OperationalError:
    """Return what the database in use raises for a deadlock."""
    if connection.vendor == "mysql":
        return OperationalError(1213, "Deadlock found when trying to get lock")
    error = OperationalError("deadlock detected")
    error.__cause__ = Deadlock()
    return error


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_repeats_the_whole_transaction() -> None:
    tries: list[User] = []

    def work() -> int:
        tries.append(User.objects.create_user(f"user{len(tries)}"))
        if len(tries) < 3:
            raise deadlock()
        return len(tries)

    assert atomically(work) == 3
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "mysql", reason="Galera is of MariaDB.")
def test_a_transaction_that_the_server_has_ended_is_repeated() -> None:
    tries = []

    def work() -> str:
        tries.append(1)
        with suppress(IntegrityError), transaction.atomic():
            if len(tries) == 1:
                connection.cursor().execute("ROLLBACK")
                raise IntegrityError
        return User.objects.create_user("alice").username

    assert atomically(work) == "alice"
    assert len(tries) == 2


@pytest.mark.django_db(transaction=True)
def test_a_repeated_deadlock_is_raised() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise deadlock()

    with pytest.raises(OperationalError):
        atomically(work)
    assert len(tries) == ATTEMPTS


@pytest.mark.django_db(transaction=True)
def test_another_error_is_raised_at_once() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise OperationalError("the server closed the connection")

    with pytest.raises(OperationalError):
        atomically(work)
    assert len(tries) == 1


@pytest.mark.django_db
def test_inside_a_transaction_only_the_outermost_repeats() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise deadlock()

    with pytest.raises(OperationalError):
        atomically(work)
    assert len(tries) == 1
