"""What is taken of a row of each former system."""

from typing import Any

import pytest

from accounts.services.importing.candidates import Candidate, candidate
from accounts.services.importing.systems import SYSTEMS
from accounts.tests.importing.sources import ARGON2I, BCRYPT, PBKDF2, PHP_BCRYPT

pytestmark = pytest.mark.any_database

HOSPITAL = {
    "user_id": 5,
    "username": "Dr_Wang",
    "email": "Wang@hospital.com",
    "password_hash": BCRYPT,
    "full_name": "王医生",
    "role": "doctor",
    "department": "呼吸科",
    "avatar_url": "https://hospital.com/w.png",
    "phone": "13800138000",
    "is_active": 1,
    "last_login": "2024-12-01 10:30:00",
    "created_time": "2024-12-01 09:00:00",
}
ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "hospital": (
        HOSPITAL,
        {
            "username": "Dr_Wang",
            "username_key": "dr_wang",
            "email": "Wang@hospital.com",
            "email_key": "wang@hospital.com",
            "phone": "+8613800138000",
            "password": BCRYPT,
            "role": "doctor",
            "full_name": "王医生",
            "department": "呼吸科",
            "avatar_url": "https://hospital.com/w.png",
            "is_active": True,
            "last_login": "2024-12-01T10:30:00+00:00",
            "created_at": "2024-12-01T09:00:00+00:00",
        },
    ),
    "union": (
        {
            "userId": 4,
            "username": "zhang_san",
            "role": "PATIENT",
            "phone": "13912345678",
            "profileJson": '{"ward": 3}',
            "password": BCRYPT,
        },
        {
            "username": "zhang_san",
            "username_key": "zhang_san",
            "phone": "+8613912345678",
            "password": BCRYPT,
            "role": "patient",
            "profile": {"ward": 3},
        },
    ),
    "portal": (
        {
            "id": 1,
            "username": "admin",
            "password": PHP_BCRYPT,
            "email": "admin@example.com",
            "nickname": "管理员",
            "avatar": None,
            "status": 0,
            "last_login_time": "2024-12-01 10:30:00",
            "last_login_ip": "127.0.0.1",
            "created_at": "2024-12-01 09:00:00",
        },
        {
            "username": "admin",
            "username_key": "admin",
            "email": "admin@example.com",
            "email_key": "admin@example.com",
            "password": PHP_BCRYPT,
            "role": "viewer",
            "nickname": "管理员",
            "is_active": False,
            "last_login": "2024-12-01T10:30:00+08:00",
            "last_login_ip": "127.0.0.1",
            "created_at": "2024-12-01T09:00:00+08:00",
        },
    ),
    "supply": (
        {"id": 1, "username": "alice", "email": "a@b.com", "password_hash": PBKDF2, "role": "pharmacy"},
        {
            "username": "alice",
            "username_key": "alice",
            "email": "a@b.com",
            "email_key": "a@b.com",
            "password": PBKDF2,
            "role": "pharmacy",
        },
    ),
    "clinic": (
        {
            "id": 9,
            "email": "user@example.com",
            "hashed_password": ARGON2I,
            "disabled": 1,
            "first_name": "San",
            "last_name": "Zhang",
            "phone_number": "13912345678",
        },
        {
            "email": "user@example.com",
            "email_key": "user@example.com",
            "phone": "+8613912345678",
            "password": ARGON2I,
            "role": "patient",
            "first_name": "San",
            "last_name": "Zhang",
            "is_active": False,
        },
    ),
}


def of_hospital(**changes: Any) -> Candidate:
    return candidate(1, {**HOSPITAL, **changes}, SYSTEMS["hospital"])


@pytest.mark.parametrize("system", ROWS)
def test_the_columns_of_each_document_are_taken(system: str) -> None:
    row, columns = ROWS[system]
    found = candidate(1, row, SYSTEMS[system])
    assert (found.columns, found.errors, found.name_error, found.notes) == (columns, [], "", [])


@pytest.mark.parametrize(
    ("changes", "note", "columns"),
    [
        ({"email": "zhang@hospital"}, "left out, e-mail address 'zhang@hospital'", {"email": None}),
        ({"phone": "12"}, "left out, phone number '12'", {"phone": None}),
        ({"role": "nurse"}, "without a role, because this service has no role 'nurse'", {"role": "unauth"}),
        ({"is_active": "maybe"}, "disabled, because its state is unclear: 'maybe'", {"is_active": False}),
        ({"full_name": "王" * 101}, "shortened, full_name", {"full_name": "王" * 100}),
        ({"avatar_url": "javascript:alert(1)"}, "left out, avatar_url: 'javascript:alert(1)'", {"avatar_url": None}),
        ({"last_login": "2999-01-01"}, "left out, last_login: '2999-01-01'", {"last_login": None}),
        ({"last_login": "0000-00-00 00:00:00"}, "left out, last_login", {"last_login": None}),
        ({"user_id": 2**31}, "its id is out of range", {}),
        ({"password_hash": None}, "without a password: it has no hash", {}),
        ({"password_hash": BCRYPT + "x" * 200}, "without a password: its hash is malformed", {}),
    ],
    # The hashes differ from run to run.
    ids=range(11),
)
def test_what_cannot_be_taken_is_left_out_and_noted(
    changes: dict[str, Any], note: str, columns: dict[str, Any]
) -> None:
    found = of_hospital(**changes)
    assert (len(found.notes), found.notes[0][: len(note)]) == (1, note)
    assert {name: found.columns.get(name) for name in columns} == columns


def test_the_hash_that_document_000_prints_becomes_an_unusable_password() -> None:
    found = of_hospital(password_hash="$2b$12$LQv3c1yqBWVHxkd0L8k7esd8dQQC5eRYtsj4C1BfqgSGcV7C2lL5a")
    assert (found.columns["password"][0], found.hash_kind, found.notes) == (
        "!",
        "",
        ["without a password: its hash is malformed, unknown or beyond the limits"],
    )


@pytest.mark.parametrize("name", ["two words", "13800138000", "a@b.com", "", "x" * 151])
def test_an_invalid_name_is_an_error_of_the_name_alone(name: str) -> None:
    found = of_hospital(username=name)
    assert (bool(found.name_error), found.errors) == (True, [])


@pytest.mark.parametrize(("system", "column"), [("union", "phone"), ("clinic", "email")])
@pytest.mark.parametrize("value", [None, "nonsense"])
def test_a_row_without_what_its_clients_log_in_with_is_malformed(system: str, column: str, value: str | None) -> None:
    assert len(candidate(1, {**ROWS[system][0], column: value}, SYSTEMS[system]).errors) == 1


@pytest.mark.parametrize("value", ["\x00\ud800\u202e", b"\xff", 10**400, -1, float("nan"), [1], {"a": 1}, True])
@pytest.mark.parametrize("system", SYSTEMS)
def test_no_value_of_any_column_is_an_error_of_the_program(system: str, value: Any) -> None:
    for names in SYSTEMS[system].columns.values():
        candidate(1, {**ROWS.get(system, ROWS["supply"])[0], names[0]: value}, SYSTEMS[system])
