import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.models.user_queryset import UserQuerySet
from accounts.names import InvalidIdentifier
from accounts.tests.tools import PASSWORD

pytestmark = pytest.mark.django_db


def stamp(user: User) -> str:
    return str(User.objects.values_list("stamp", flat=True).get(pk=user.pk))


def saved(user: User, **changes: object) -> None:
    for name, value in changes.items():
        setattr(user, name, value)
    user.save()


def bulk_updated(user: User, **changes: object) -> None:
    for name, value in changes.items():
        setattr(user, name, value)
    User.objects.bulk_update([user], list(changes))


def updated(user: User, **changes: object) -> None:
    User.objects.filter(pk=user.pk).update(**changes)


def updated_or_created(user: User, **changes: object) -> None:
    User.objects.update_or_create(pk=user.pk, defaults=changes)


WAYS = [saved, bulk_updated, updated, updated_or_created]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "change", [{"password": "!"}, {"role": "viewer"}, {"is_active": False}, {"awaits_approval": True}], ids=str
)
def test_a_changed_credential_renews_the_stamp(alice: User, way: object, change: dict[str, object]) -> None:
    before = stamp(alice)
    way(alice, **change)  # type: ignore[operator]
    assert stamp(alice) != before


@pytest.mark.parametrize("way", WAYS)
def test_another_change_keeps_the_stamp(alice: User, way: object) -> None:
    before = stamp(alice)
    way(alice, full_name="Alice Li")  # type: ignore[operator]
    assert stamp(alice) == before


@pytest.mark.parametrize("way", WAYS)
def test_the_canonical_name_follows_the_name(alice: User, way: object) -> None:
    way(alice, username="Carol")  # type: ignore[operator]
    assert User.objects.get(username_key="carol").pk == alice.pk


@pytest.mark.parametrize("way", WAYS)
def test_the_canonical_address_follows_the_address(alice: User, way: object) -> None:
    way(alice, email="Carol@Hospital.Example")  # type: ignore[operator]
    assert User.objects.get(email_key="carol@hospital.example").pk == alice.pk


@pytest.mark.parametrize("way", WAYS)
def test_a_blank_address_is_kept_as_none(alice: User, way: object) -> None:
    way(alice, email="")  # type: ignore[operator]
    assert User.objects.values_list("email", "email_key").get(pk=alice.pk) == (None, None)


@pytest.mark.parametrize("way", WAYS)
def test_a_phone_number_is_kept_as_e164(alice: User, way: object) -> None:
    way(alice, phone="139 1234 5678")  # type: ignore[operator]
    assert User.objects.values_list("phone", flat=True).get(pk=alice.pk) == "+8613912345678"


def test_bulk_create_derives_the_canonical_columns(db: None) -> None:
    User.objects.bulk_create([User(username="Carol"), User(username="Dave", email="Dave@Hospital.Example")])
    assert set(User.objects.values_list("username_key", "email_key")) == {
        ("carol", None),
        ("dave", "dave@hospital.example"),
    }


def test_a_name_that_cannot_be_one_is_not_saved(db: None) -> None:
    with pytest.raises(InvalidIdentifier):
        User(username="two words").save()


def test_a_name_cannot_be_set_from_an_expression(alice: User) -> None:
    from django.db.models import F

    with pytest.raises(ValueError, match="username cannot be set from an expression"):
        User.objects.update(username=F("email"))


@pytest.mark.parametrize("name", ["alice", "ALICE", "ａｌｉｃｅ"])
def test_names_of_one_canonical_form_are_one(alice: User, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(name)


@pytest.mark.parametrize(("one", "other"), [("jose", "josé"), ("𠮷", "𡈽"), ("ss", "ſ")])
def test_names_of_two_canonical_forms_are_two(db: None, one: str, other: str) -> None:
    User.objects.create_user(one)
    User.objects.create_user(other)
    assert User.objects.get_by_natural_key(one).pk != User.objects.get_by_natural_key(other).pk


def test_a_rehash_keeps_the_stamp(alice: User) -> None:
    assert User.objects.filter(pk=alice.pk).rehash(alice.password, "argon2$new") == 1
    assert (stamp(alice), User.objects.get(pk=alice.pk).password) == (alice.stamp, "argon2$new")


def test_a_rehash_of_a_password_that_has_changed_does_nothing(alice: User) -> None:
    verified = alice.password
    alice.set_password("Another-horse-8")
    alice.save()
    assert User.objects.filter(pk=alice.pk).rehash(verified, "argon2$new") == 0
    assert User.objects.get(pk=alice.pk).password == alice.password


def test_check_password_upgrades_a_hash_without_renewing_the_stamp(alice: User) -> None:
    from django.contrib.auth.hashers import BCryptPasswordHasher

    hasher = BCryptPasswordHasher()
    hasher.rounds = 4
    User.objects.filter(pk=alice.pk).rehash(alice.password, hasher.encode(PASSWORD, hasher.salt()))
    user = User.objects.get(pk=alice.pk)
    assert user.check_password(PASSWORD)
    assert User.objects.get(pk=alice.pk).password.startswith("argon2$argon2id$")
    assert stamp(alice) == alice.stamp


def test_ids_are_never_reused(alice: User) -> None:
    first = alice.pk
    alice.delete()
    assert User.objects.create_user("carol").pk > first


def test_only_administrators_are_staff(alice: User, head: User) -> None:
    assert (alice.is_staff, head.is_staff) == (False, True)


def test_an_administrator_has_permissions_by_role(alice: User, head: User) -> None:
    assert head.has_perm("accounts.change_user")
    assert not alice.has_perm("accounts.change_user")


def test_role_admin_has_the_permissions_of_all_three_officers(head: User) -> None:
    assert head.get_all_permissions() == {
        "accounts.view_user",
        "accounts.add_user",
        "accounts.change_user",
        "accounts.unlock_user",
        "accounts.remove_second_factors",
        "accounts.view_session",
        "accounts.view_message",
        "accounts.end_session",
        "audit.view_loginattempt",
        "audit.view_securityevent",
    }


def test_create_superuser_makes_a_superuser_of_role_admin(root: User) -> None:
    assert (root.role, root.is_superuser, root.is_staff) == ("admin", True, True)


def test_an_upsert_that_changes_a_credential_renews_the_stamp(alice: User) -> None:
    before = stamp(alice)
    row = User(pk=alice.pk, username="alice", password="!", created_at=alice.created_at, updated_at=alice.updated_at)
    unique = ["id"] if connection.features.supports_update_conflicts_with_target else None
    User.objects.bulk_create([row], update_conflicts=True, update_fields=["password"], unique_fields=unique)
    assert stamp(alice) != before


def test_a_stored_number_that_is_no_longer_valid_does_not_prevent_a_new_password(alice: User) -> None:
    super(UserQuerySet, User.objects.filter(pk=alice.pk)).update(phone="+860000")
    user = User.objects.get(pk=alice.pk)
    user.set_password("Another-horse-8")
    user.save()
    assert User.objects.get(pk=alice.pk).check_password("Another-horse-8")


def test_without_its_canonical_name_a_user_is_not_stored(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        super(UserQuerySet, User.objects.all()).bulk_create([User(username="carol")])


def test_a_new_database_has_no_users(db: None) -> None:
    assert not User.objects.exists()


def test_the_distinct_values_of_a_column_are_sorted_and_not_blank(
    alice: User, bob: User, head: User, root: User
) -> None:
    for user, department in ((alice, "药房"), (bob, "ICU"), (head, "药房")):
        User.objects.filter(pk=user.pk).update(department=department)
    assert User.objects.distinct_values("department") == ["ICU", "药房"]
