"""A copy of a user writes what it has changed, and no former value of a guarded field."""

import copy

import pytest
from django.db import transaction

from accounts.models import User

pytestmark = pytest.mark.django_db


def stamp(user: User) -> str:
    return str(User.objects.values_list("stamp", flat=True).get(pk=user.pk))


def test_a_stale_copy_brings_no_old_credential_back(alice: User) -> None:
    stale = User.objects.get(pk=alice.pk)
    alice.set_password("Another-horse-8")
    alice.role = "viewer"
    alice.save()
    stale.full_name = "Alice Li"
    stale.save()
    current = User.objects.get(pk=alice.pk)
    assert (current.password, current.role, current.stamp) == (alice.password, "viewer", alice.stamp)
    assert current.full_name == "Alice Li"


def test_a_copy_that_was_read_without_credentials_saves_the_rest(alice: User) -> None:
    partial = User.objects.only("full_name").get(pk=alice.pk)
    partial.full_name = "Alice Li"
    partial.save()
    current = User.objects.get(pk=alice.pk)
    assert (current.full_name, current.password, current.stamp) == ("Alice Li", alice.password, alice.stamp)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [{"password": "!"}, {"role": "viewer"}, {"is_active": False}], ids=str)
def test_what_a_rolled_back_transaction_has_saved_is_saved_by_the_next(alice: User, change: dict[str, object]) -> None:
    before = stamp(alice)
    for name, value in change.items():
        setattr(alice, name, value)
    with transaction.atomic():
        alice.save()
        transaction.set_rollback(True)
    alice.save()
    assert User.objects.filter(pk=alice.pk, **change).exists()
    assert stamp(alice) != before


@pytest.mark.django_db(transaction=True)
def test_a_second_save_in_one_transaction_keeps_the_stamp_of_the_first(alice: User) -> None:
    with transaction.atomic():
        alice.role = "viewer"
        alice.save()
        first = stamp(alice)
        alice.full_name = "Alice Li"
        alice.save()
    assert stamp(alice) == first


@pytest.mark.django_db(transaction=True)
def test_a_copy_of_a_stale_copy_brings_no_old_credential_back(alice: User) -> None:
    stale = User.objects.get(pk=alice.pk)
    copied = copy.copy(stale)
    alice.set_password("Another-horse-8")
    alice.save()
    copied.refresh_from_db()
    stale.save()
    assert User.objects.get(pk=alice.pk).password == alice.password


def test_fields_that_a_copy_was_given_have_changed_since_it_was_read_and_saved(alice: User) -> None:
    alice.refresh_from_db()
    alice.role = "viewer"
    assert alice.changed_since_read({"role", "password"}) == alice.changed_since_saved({"role", "password"}) == {"role"}


def test_a_saved_field_has_changed_since_it_was_read_until_the_commit(alice: User) -> None:
    alice.refresh_from_db()
    alice.role = "viewer"
    alice.save()
    assert (alice.changed_since_read({"role"}), alice.changed_since_saved({"role"})) == ({"role"}, set())


def test_a_field_that_is_read_again_has_not_changed(alice: User) -> None:
    alice.role = "viewer"
    alice.refresh_from_db(fields=["role"])
    assert alice.changed_since_read({"role"}) == set()


def test_a_save_of_a_guarded_field_that_has_not_changed_writes_nothing(alice: User) -> None:
    stale = User.objects.get(pk=alice.pk)
    User.objects.filter(pk=alice.pk).update(role="viewer")
    stale.save(update_fields=["role"])
    assert User.objects.get(pk=alice.pk).role == "viewer"
