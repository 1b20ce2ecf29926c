"""Imported people log in through the contract of their former system, with their old passwords."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.tests.importing.sources import (
    ARGON2I,
    BCRYPT,
    CLINIC,
    PHP_BCRYPT,
    SCRYPT,
    SUPPLY,
    import_users,
    sqlite_source,
)
from accounts.tests.tools import PASSWORD, Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]


def log_in(mount: str, **body: Any) -> int:
    return Api(mount=mount).post("login", {**body, "password": PASSWORD}).status_code


def test_of_the_union(tmp_path: Path) -> None:
    row = {"userId": 4, "username": "zhang_san", "password": BCRYPT, "role": "PATIENT", "phone": "13912345678"}
    (tmp_path / "union.json").write_text(json.dumps([row]), encoding="utf-8")
    import_users(str(tmp_path / "union.json"), "--from", "union")
    assert log_in("/api/v1/auth", phone="13912345678", userType="PATIENT") == 200


def test_of_the_portal(tmp_path: Path) -> None:
    (tmp_path / "portal.csv").write_text(f"id,username,password,status\n1,admin,{PHP_BCRYPT},1\n", encoding="utf-8")
    import_users(str(tmp_path / "portal.csv"), "--from", "portal")
    assert log_in("/auth", username="admin") == 200


def test_of_the_supply_platform(tmp_path: Path) -> None:
    users = [{"id": 1, "username": "alice", "email": "a@b.com", "password_hash": SCRYPT, "role": "pharmacy"}]
    import_users(sqlite_source(tmp_path / "supply.db", SUPPLY, users=users), "--from", "supply")
    assert log_in("/api/auth", username="a@b.com") == 200


def test_of_the_clinic(tmp_path: Path) -> None:
    users = [{"id": 1, "email": "user@example.com", "hashed_password": ARGON2I, "disabled": 0}]
    import_users(sqlite_source(tmp_path / "clinic.db", CLINIC, users=users), "--from", "clinic")
    assert log_in("/api/users", email="user@example.com") == 200


def test_a_person_of_two_systems_keeps_the_account_of_the_first(tmp_path: Path) -> None:
    users = [{"id": 1, "email": "user@example.com", "hashed_password": ARGON2I, "disabled": 0}]
    import_users(sqlite_source(tmp_path / "clinic.db", CLINIC, users=users), "--from", "clinic")
    row = {"id": 8, "username": "user8", "email": "USER@example.com", "password": "!", "status": 0}
    (tmp_path / "portal.json").write_text(json.dumps([row]), encoding="utf-8")
    said = import_users(str(tmp_path / "portal.json"), "--from", "portal", "--on-conflict", "skip")
    assert "e-mail address: account" in said
    assert log_in("/api/users", email="user@example.com") == 200
