"""Whatever columns a request names, it sets those that its contract documents and no others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import models

from accounts.models import ADMINISTRATORS, User
from accounts.names import canonical_phone
from accounts.tests.contracts.clients import CLIENTS, CLINIC, HOSPITAL, NATIVE, PORTAL, UNION, ContractClient
from accounts.tests.tools import PASSWORD

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]

HASH = "argon2$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$fUDoZAkYlY6FpyQxuhz5Sw"
NEW_PASSWORD = "Another-horse-8"

# What is tried for a column of each type; one of a type that is not here fails every test until it is thought of.
_BY_TYPE: dict[type, Any] = {
    models.BigAutoField: 999_999,
    models.BooleanField: True,
    models.CharField: "forged",
    models.URLField: "https://forged.example/",
    models.DateField: "2001-02-03",
    models.DateTimeField: "2001-02-03T04:05:06Z",
    models.GenericIPAddressField: "203.0.113.66",
    models.JSONField: {"forged": True},
    models.ManyToManyField: [1],
}
_BY_NAME: dict[str, Any] = {
    "password": HASH,
    "role": "admin",
    "is_active": False,
    "email": "forged@forged.example",
    "phone": "13700137000",
    "language": "en",
    # What is no column, and might be one by another name.
    "pk": 999_999,
    "is_staff": True,
    "isAdmin": True,
    "roles": ["admin"],
    "permissions": ["accounts.change_user"],
    "password_hash": HASH,
    "created_time": "2001-02-03T04:05:06Z",
    "user": {"role": "admin", "is_superuser": True},
    "_state": {"adding": True},
    "objects": 1,
    "__class__": "x",
}


def everything() -> dict[str, Any]:
    """Return a value for every column of a user, and for what might be taken for one."""
    columns = [*User._meta.concrete_fields, *User._meta.many_to_many]
    return {column.name: _BY_TYPE[type(column)] for column in columns} | _BY_NAME


def row(user: User) -> dict[str, Any]:
    """Return all that the database has of a user."""
    found = User.objects.get(pk=user.pk)
    relations = {column.name: list(getattr(found, column.name).all()) for column in User._meta.many_to_many}
    return {column.attname: getattr(found, column.attname) for column in User._meta.concrete_fields} | relations


@dataclass(frozen=True)
class Change:
    """A request that changes alice: what its contract documents, and what becomes of her row."""

    client: ContractClient
    method: str
    path: str
    documented: Mapping[str, Any]
    becomes: Mapping[str, Any] = field(default_factory=dict)
    # Columns that follow from the change, and are not compared.
    follow: frozenset[str] = frozenset()
    by: str = "alice"


OWN = {
    "full_name": "Alice Li",
    "first_name": "Alice",
    "last_name": "Li",
    "nickname": "Ally",
    "department": "药房",
    "avatar_url": "https://hospital.example/alice.png",
    "profile": {"theme": "dark"},
    "email": "ally@hospital.example",
    "phone": "13900139000",
    "language": "en",
}
# What administrators alone set.
STAFF = {"job_title": "护士", "valid_from": "2020-01-01", "valid_until": "2099-12-31"}
STAFF_ROW = {"job_title": "护士", "valid_from": date(2020, 1, 1), "valid_until": date(2099, 12, 31)}
OWN_ROW = {**OWN, "email_key": "ally@hospital.example", "phone": "+8613900139000"}
# Contacts that the account sets itself are not vouched for; those that an administrator sets are.
BY_ITSELF = {"vouched_email": "", "vouched_phone": ""}
BY_ANOTHER = {"vouched_email": "ally@hospital.example", "vouched_phone": "+8613900139000"}
HOSPITAL_OWN = {name: OWN[name] for name in ("full_name", "email", "department", "phone", "avatar_url")}
PASSWORDS = frozenset({"password", "password_changed_at", "stamp"})
LOGIN = frozenset({"last_login", "last_login_ip", "known_devices"})

CHANGES = {
    "native me": Change(NATIVE, "PATCH", "me", OWN, {**OWN_ROW, **BY_ITSELF}),
    "native change-password": Change(
        NATIVE,
        "POST",
        "change-password",
        {"old_password": PASSWORD, "new_password": NEW_PASSWORD},
        follow=PASSWORDS | LOGIN,
    ),
    "native users": Change(
        NATIVE,
        "PATCH",
        "users/{id}",
        {**OWN, **STAFF, "username": "ally", "role": "supplier"},
        {**OWN_ROW, **STAFF_ROW, **BY_ANOTHER, "username": "ally", "username_key": "ally", "role": "supplier"},
        frozenset({"stamp"}),
        by="head",
    ),
    "native deactivate": Change(
        NATIVE, "POST", "users/{id}/deactivate", {}, {"is_active": False}, frozenset({"stamp"}), by="head"
    ),
    "native activate": Change(NATIVE, "POST", "users/{id}/activate", {}, by="head"),
    "native approve": Change(NATIVE, "POST", "users/{id}/approve", {}, by="head"),
    "native unlock": Change(NATIVE, "POST", "users/{id}/unlock", {}, by="head"),
    "hospital profile": Change(
        HOSPITAL,
        "PUT",
        "profile",
        {**HOSPITAL_OWN, "password": NEW_PASSWORD},
        {**HOSPITAL_OWN, **BY_ITSELF, "email_key": "ally@hospital.example", "phone": "+8613900139000"},
        PASSWORDS,
    ),
    "clinic reset_password": Change(
        CLINIC,
        "POST",
        "reset_password",
        {"email": "alice@hospital.example", "old_password": PASSWORD, "new_password": NEW_PASSWORD},
        follow=PASSWORDS | LOGIN,
    ),
    "portal refresh": Change(PORTAL, "POST", "refresh", {}),
    "clinic refresh_token": Change(CLINIC, "POST", "refresh_token", {}),
}


def token_of(client: ContractClient, username: str) -> str:
    """Return a token of alice through this contract, or of an administrator at the native one."""
    return client.log_in() if username == "alice" else client.token(client.login(username=username).json())


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_sets_what_is_documented_and_nothing_else(alice: User, head: User, name: str) -> None:
    change = CHANGES[name]
    token = token_of(change.client, change.by)
    before = row(alice)
    path = change.path.format(id=alice.pk)
    response = change.client.call(change.method, path, {**everything(), **change.documented}, token)
    assert response.status_code in {200, 204}, response.content
    compared = before.keys() - change.follow - {"updated_at"}
    after = row(alice)
    assert {name: after[name] for name in compared} == {name: {**before, **change.becomes}[name] for name in compared}
    assert after["updated_at"].year > 2001
    assert after["stamp"] != "forged"


@pytest.mark.parametrize("name", [name for name in CHANGES if "password" in CHANGES[name].follow])
def test_a_new_password_is_the_one_that_was_given_and_no_hash(alice: User, head: User, name: str) -> None:
    change = CHANGES[name]
    body = {**everything(), **change.documented}
    change.client.call(change.method, change.path, body, token_of(change.client, change.by))
    assert User.objects.get(pk=alice.pk).check_password(NEW_PASSWORD)


def test_a_login_sets_nothing_but_when_from_where_and_with_what(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="doctor")
    before = row(alice)
    for client in CLIENTS:
        body = {**everything(), **client.login_fields, "password": PASSWORD}
        assert client.call("POST", "login", body).status_code == 200
    after = row(alice)
    assert {name for name in before if before[name] != after[name]} == LOGIN


@dataclass(frozen=True)
class Creation:
    """A request that makes a user: what its contract documents, and what is in the new row beside the defaults."""

    client: ContractClient
    path: str
    documented: Mapping[str, Any]
    becomes: Mapping[str, Any]
    by: str = ""


PERSON = {"username": "carol", "email": "carol@hospital.example"}
PERSON_ROW = {**PERSON, "username_key": "carol", "email_key": "carol@hospital.example"}
NAMES = {name: OWN[name] for name in ("full_name", "first_name", "last_name", "nickname", "department")}
PHONE = {"phone": "13600136000"}
PHONE_ROW = {"phone": canonical_phone("13600136000")}
VOUCHED = {"vouched_email": PERSON["email"], "vouched_phone": PHONE_ROW["phone"]}
CREATIONS = {
    "native": Creation(
        NATIVE,
        "register",
        {**PERSON, **NAMES, **PHONE, "role": "supplier"},
        {**PERSON_ROW, **NAMES, **PHONE_ROW, "role": "supplier"},
    ),
    "native users": Creation(
        NATIVE,
        "users",
        {**PERSON, **NAMES, **PHONE, **STAFF, "role": "regulator"},
        {**PERSON_ROW, **NAMES, **PHONE_ROW, **STAFF_ROW, **VOUCHED, "role": "regulator"},
        by="head",
    ),
    "hospital": Creation(
        HOSPITAL,
        "register",
        {**PERSON, **PHONE, "full_name": "Carol", "department": "内科", "role": "researcher"},
        {**PERSON_ROW, **PHONE_ROW, "full_name": "Carol", "department": "内科", "role": "researcher"},
    ),
    "union": Creation(
        UNION,
        "register",
        {"username": "carol", **PHONE, "role": "DOCTOR"},
        {"username": "carol", "username_key": "carol", **PHONE_ROW, "role": "doctor"},
    ),
    "portal": Creation(
        PORTAL, "register", {**PERSON, "nickname": "C"}, {**PERSON_ROW, "nickname": "C", "role": "viewer"}
    ),
    "clinic": Creation(
        CLINIC,
        "register",
        {"email": PERSON["email"], "phone_number": "13600136000", "first_name": "C", "last_name": "D"},
        {**PERSON_ROW, **PHONE_ROW, "first_name": "C", "last_name": "D", "role": "patient"},
    ),
}
# What the service makes by itself.
MADE = frozenset({"id", "password", "password_changed_at", "stamp", "created_at", "updated_at"})


@pytest.mark.parametrize("name", CREATIONS)
def test_a_new_account_has_what_is_documented_and_the_defaults(head: User, name: str) -> None:
    creation = CREATIONS[name]
    Group.objects.get_or_create(pk=1, defaults={"name": ADMINISTRATORS})
    token = token_of(creation.client, creation.by) if creation.by else None
    body = {**everything(), **creation.documented, "password": PASSWORD}
    response = creation.client.call("POST", creation.path, body, token)
    assert response.status_code in {200, 201}, response.content
    user = User.objects.exclude(pk=head.pk).get()
    found, defaults = row(user), User()
    expected = {name: getattr(defaults, name) for name in found.keys() - {"groups", "user_permissions"}}
    expected |= {"groups": [], "user_permissions": [], **creation.becomes}
    assert {name: found[name] for name in found.keys() - MADE} == {name: expected[name] for name in found.keys() - MADE}
    assert (user.pk < 999_999, user.stamp != "forged", user.check_password(PASSWORD)) == (True, True, True)
    assert {found["created_at"].year, found["updated_at"].year}.isdisjoint({2001})


@pytest.mark.parametrize(
    "creation",
    [creation for creation in CREATIONS.values() if not creation.by and "role" in creation.documented],
    ids=lambda creation: creation.client.name,
)
@pytest.mark.parametrize("role", ["admin", "ADMIN", "Admin", "ａdmin", "admin ", "root"])
def test_a_registration_cannot_have_the_role_of_an_administrator(db: None, creation: Creation, role: str) -> None:
    body = {**creation.documented, "password": PASSWORD, "role": role}
    assert creation.client.call("POST", "register", body).status_code == 400
    assert not User.objects.exists()
