"""The command: ids, collisions, former login attempts, and all or nothing."""

import csv
import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import FormerHashKind, ImportedAccount, User
from accounts.security import former_kinds
from accounts.services.importing import writing
from accounts.tests.importing.sources import (
    ARGON2I,
    BCRYPT,
    CLINIC,
    PBKDF2,
    PHP_BCRYPT,
    SUPPLY,
    import_users,
    sqlite_source,
)
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent
from audit.verification import Verification

pytestmark = pytest.mark.django_db

HOSPITAL = """
CREATE TABLE users (user_id INTEGER PRIMARY KEY, username TEXT, email TEXT, password_hash TEXT, full_name TEXT,
    role TEXT, phone TEXT, is_active INTEGER DEFAULT 1, created_time TEXT);
CREATE TABLE login_logs (log_id INTEGER PRIMARY KEY, user_id INTEGER, login_ip TEXT, user_agent TEXT, login_time TEXT,
    status TEXT, failure_reason TEXT);
"""


def person(number: int, name: str, **columns: Any) -> dict[str, Any]:
    return {"user_id": number, "username": name, "password_hash": BCRYPT, "role": "doctor", **columns}


def hospital(folder: Path, *people: dict[str, Any], logs: list[dict[str, Any]] | None = None) -> str:
    return sqlite_source(folder / "hospital.sqlite3", HOSPITAL, users=people, login_logs=logs or [])


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.reader(file))[1:]


@pytest.fixture
def above(alice: User) -> int:
    """A number that the ids of this database have not reached, by far."""
    return alice.pk + 1000


def test_a_free_id_is_kept_and_a_used_one_is_mapped(above: int, alice: User, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    people = [person(alice.pk, "wang"), person(above, "li"), person(above + 5, "zhao")]
    import_users(hospital(tmp_path, *people), "--from", "hospital", "--report", str(report))
    ids = dict(User.objects.exclude(pk=alice.pk).values_list("username", "pk"))
    assert ids == {"li": above, "zhao": above + 5, "wang": above + 6}
    assert lines(report) == [
        ["1", "new", str(alice.pk), str(above + 6), "wang", ""],
        ["2", "new", str(above), str(above), "li", ""],
        ["3", "new", str(above + 5), str(above + 5), "zhao", ""],
    ]
    assert User.objects.create_user("next").pk > above + 6


def test_an_id_below_the_highest_is_never_used_again(above: int, tmp_path: Path) -> None:
    User.objects.create_user("gone", id=above)
    User.objects.filter(pk=above).delete()
    later = User.objects.create(id=above + 1, username="later").pk
    import_users(hospital(tmp_path, person(above, "wang")), "--from", "hospital")
    assert User.objects.get(username="wang").pk > later


def test_everything_of_the_account_is_written(above: int, tmp_path: Path) -> None:
    row = person(above, "Wang", email="W@a.com", phone="13900139000", created_time="2024-01-02 03:04:05", is_active=0)
    import_users(hospital(tmp_path, row), "--from", "hospital")
    user = User.objects.get(pk=above)
    assert (user.username_key, user.email_key, user.phone) == ("wang", "w@a.com", "+8613900139000")
    assert (user.is_active, user.created_at) == (False, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert (user.vouched_email, user.vouched_phone, user.verified_email) == ("w@a.com", "+8613900139000", "")
    assert FormerHashKind.objects.get().name == "bcrypt:4"


def test_one_event_says_what_came(above: int, tmp_path: Path) -> None:
    import_users(hospital(tmp_path, person(above, "wang"), person(above + 1, "li")), "--from", "hospital")
    event = SecurityEvent.objects.get(event="users:imported")
    counts = {"new": 2, "renamed": 0, "present": 0, "conflict": 0, "malformed": 0}
    logs = {"login_attempts": 0, "login_attempts_left_out": 0}
    source = f"sqlite:///{tmp_path}/hospital.sqlite3"
    assert event.detail == {"system": "hospital", "source": source, **counts, **logs}


COLLIDING = [
    person(1, "ALICE"),
    person(2, "wang", email="alice@hospital.example"),
    person(3, "wang3", phone="+86 138-0013-8000"),
    person(4, "li"),
    person(5, "Li"),
    person(6, "two words"),
]


def test_a_collision_stops_everything(alice: User, tmp_path: Path) -> None:
    said = import_users(hospital(tmp_path, *COLLIDING), "--from", "hospital")
    assert "5 rows collide or are malformed, and nothing was imported." in said
    assert (User.objects.count(), ImportedAccount.objects.count()) == (1, 0)
    assert not SecurityEvent.objects.filter(event="users:imported").exists()


def test_skip_leaves_out_what_collides(alice: User, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    arguments = ["--from", "hospital", "--on-conflict", "skip", "--report", str(report)]
    import_users(hospital(tmp_path, *COLLIDING), *arguments)
    assert set(User.objects.values_list("username", flat=True)) == {"alice", "li"}
    assert [(line[1], line[5]) for line in lines(report)] == [
        ("conflict", f"user name: account {alice.pk} has it"),
        ("conflict", f"e-mail address: account {alice.pk} has it"),
        ("conflict", f"phone number: account {alice.pk} has it"),
        ("new", ""),
        ("conflict", "user name: row 4 has it"),
        ("malformed", "user name 'two words': A user name may contain only letters, digits and . _ - +."),
    ]


def test_rename_gives_free_names_and_leaves_out_contacts(alice: User, tmp_path: Path) -> None:
    import_users(hospital(tmp_path, *COLLIDING), "--from", "hospital", "--on-conflict", "rename")
    found = User.objects.exclude(pk=alice.pk).order_by("pk").values_list("username", "email", "phone")
    assert sorted(found) == [
        ("ALICE2", None, None),
        ("Li2", None, None),
        ("li", None, None),
        ("twowords", None, None),
        ("wang", None, None),
        ("wang3", None, None),
    ]


def test_the_same_row_twice_comes_once_whatever_is_renamed(tmp_path: Path, db: None) -> None:
    path = tmp_path / "users.jsonl"
    row = json.dumps({"id": 7, "username": "wang", "password": BCRYPT})
    path.write_text(f"{row}\n{row}\n", encoding="utf-8")
    import_users(str(path), "--from", "portal", "--on-conflict", "rename")
    assert list(User.objects.values_list("username", flat=True)) == ["wang"]


@pytest.mark.parametrize("on_conflict", ["stop", "skip", "rename"])
def test_a_second_run_changes_nobody(on_conflict: str, alice: User, tmp_path: Path) -> None:
    source = hospital(tmp_path, person(1, "alice"), person(2, "li"), logs=[LOG])
    import_users(source, "--from", "hospital", "--on-conflict", "rename")
    User.objects.filter(username="li").update(username="renamed")
    before = list(User.objects.order_by("pk").values()), LoginAttempt.objects.count(), SecurityEvent.objects.count()
    assert "2 are here already" in import_users(source, "--from", "hospital", "--on-conflict", on_conflict)
    after = list(User.objects.order_by("pk").values()), LoginAttempt.objects.count(), SecurityEvent.objects.count()
    assert after == before


def test_a_dry_run_writes_nothing_and_lists_everything(above: int, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    people = [person(above, "wang"), person(above + 1, "li", password_hash="nonsense")]
    said = import_users(hospital(tmp_path, *people), "--from", "hospital", "--dry-run", "--report", str(report))
    assert [line.split(maxsplit=1) for line in said.splitlines()[:7]] == [
        ["2", "come"],
        ["0", "come under another name or without a contact"],
        ["0", "are here already from an earlier import"],
        ["0", "collide"],
        ["0", "are malformed"],
        ["1", "without a password"],
        ["1", "passwords of kind bcrypt:4"],
    ]
    assert [line[3] for line in lines(report)] == [str(above), str(above + 1)]
    assert (User.objects.count(), report.stat().st_mode & 0o777) == (1, 0o600)
    assert User.objects.create_user("next").pk < above


LOG = {
    "log_id": 1,
    "user_id": 2,
    "login_ip": "192.0.2.9",
    "user_agent": "Firefox",
    "login_time": "2024-05-06 07:08:09",
    "status": "failed",
    "failure_reason": "Invalid password",
}


def test_former_login_attempts_come_marked_and_sealed_with_their_own_times(alice: User, tmp_path: Path) -> None:
    others = [
        {"log_id": 2, "user_id": 2, "login_time": "2024-05-06 07:08:10", "status": "success"},
        {"log_id": 3, "user_id": 99, "login_time": "2024-05-06 07:08:10", "status": "success"},
        {"log_id": 4, "user_id": 2, "login_time": "nonsense", "status": "success"},
    ]
    said = import_users(hospital(tmp_path, person(2, "li"), logs=[LOG, *others]), "--from", "hospital")
    assert "2 login attempts written, 2 login attempts left out" in said
    li, event = User.objects.get(username="li"), SecurityEvent.objects.get(event="users:imported")
    columns = ("user", "identifier", "contract", "ip", "user_agent", "status", "failure_reason", "at", "request_id")
    at = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert list(LoginAttempt.objects.order_by("at").values_list(*columns)) == [
        (li.pk, "li", "imported", "192.0.2.9", "Firefox", "failed", "wrong_password", at, event.request_id),
        (li.pk, "li", "imported", None, "", "success", "", at.replace(second=10), event.request_id),
    ]
    check = Verification()
    assert (sum(1 for _ in check.run()) > 0, check.intact) == (True, True)


@pytest.mark.django_db(transaction=True)
def test_an_interruption_leaves_nothing_and_the_next_run_keeps_the_ids(
    above: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = hospital(tmp_path, person(above, "wang"), person(above + 1, "li"), logs=[{**LOG, "user_id": above}])
    with monkeypatch.context() as patched:
        patched.setattr(former_kinds, "refresh", mock.Mock(side_effect=KeyboardInterrupt))
        assert import_users(source, "--from", "hospital").endswith("The import was stopped. Nothing was imported.")
    assert (User.objects.count(), ImportedAccount.objects.count(), LoginAttempt.objects.count()) == (1, 0, 0)
    registered = User.objects.create_user("registered").pk
    assert registered > above + 1
    import_users(source, "--from", "hospital")
    assert set(User.objects.values_list("pk", flat=True)) >= {above, above + 1}


@pytest.mark.django_db(transaction=True)
def test_a_name_that_was_registered_meanwhile_refuses_the_import(
    alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign = writing.assign_ids

    def registered_meanwhile(*args: Any, **options: Any) -> None:
        assign(*args, **options)
        User.objects.create_user("li")

    monkeypatch.setattr(writing, "assign_ids", registered_meanwhile)
    source = hospital(tmp_path, person(1, "wang"), person(2, "li"))
    assert import_users(source, "--from", "hospital").endswith("Nothing was imported: run it again.")
    assert set(User.objects.values_list("username", flat=True)) == {"alice", "li"}


def test_people_of_a_system_without_names_get_one(alice: User, tmp_path: Path) -> None:
    emails = ["alice@a.com", "alice@b.com", "admin@c.com", "13800138000@d.com", "wang@e.com"]
    users = [{"id": number, "email": email, "hashed_password": ARGON2I} for number, email in enumerate(emails, 1)]
    information = [{"user_id": 5, "first_name": "Wei", "last_name": "Wang", "phone_number": "13912345678"}]
    import_users(sqlite_source(tmp_path / "c.db", CLINIC, users=users, user_info=information), "--from", "clinic")
    found = dict(User.objects.exclude(pk=alice.pk).values_list("email", "username"))
    assert found == dict(zip(emails, ["alice2", "alice3", "admin2", "user", "wang"], strict=True))
    assert User.objects.filter(email="wang@e.com").values_list("first_name", "phone").get() == ("Wei", "+8613912345678")


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_an_export_with_hashes_is_the_way_back(kind: str, alice: User, bob: User, tmp_path: Path) -> None:
    User.objects.filter(pk=alice.pk).update(
        profile={"ward": [1, "=A1"]},
        verified_email=alice.email_key,
        full_name="=1+1",
        is_active=False,
        job_title="护士",
        valid_from="2026-01-01",
        valid_until="2027-06-30",
    )
    path = tmp_path / f"all.{kind}"
    call_command("export_users", str(path), "--with-hashes", verbosity=0)
    own = {"stamp", "updated_at", "activated_at"}
    columns = [field.attname for field in User._meta.concrete_fields if field.name not in own]
    before = list(User.objects.order_by("pk").values(*columns))
    assert "2 are here already" in import_users(str(path), "--from", "authsvc")
    User.objects.all().delete()
    import_users(str(path), "--from", "authsvc")
    # Ids are never reused, so these two have new ones.
    after = list(User.objects.order_by("pk").values(*columns))
    assert [{**row, "id": 0} for row in after] == [{**row, "id": 0} for row in before]
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_export_without_hashes_has_none(alice: User, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    call_command("export_users", str(path), verbosity=0)
    assert alice.password not in path.read_text(encoding="utf-8")
    assert SecurityEvent.objects.get(event="users:exported").detail == {"with_hashes": False}


def test_a_person_of_the_supply_platform_logs_in_with_the_old_password(tmp_path: Path, db: None) -> None:
    users = [{"id": 1, "username": "alice", "phone": "13800138000", "password_hash": PBKDF2, "role": "pharmacy"}]
    import_users(sqlite_source(tmp_path / "s.db", SUPPLY, users=users), "--from", "supply")
    assert Api().login("13800138000", PASSWORD).status_code == 200
    assert User.objects.get().password.startswith("argon2$argon2id$")


@pytest.fixture
def portal_on_postgresql() -> Iterator[str]:
    """The URL of a new database with two people of the portal, one of whom is disabled."""
    if connection.vendor != "postgresql":
        pytest.skip("The source is made on the server of the tests, which is not PostgreSQL.")
    name, server = f"test_portal_{os.getpid()}", connection.settings_dict
    given = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
    parameters = {key: value for key, value in given.items() if value}
    with psycopg.connect(dbname="postgres", autocommit=True, **parameters) as outside:
        outside.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(dbname=name, **parameters) as source:
                source.execute("CREATE TABLE users (id bigint, username text, password text, email text, status int)")
                rows = [(7, "wang", PHP_BCRYPT, "wang@portal.cn", 1), (8, "li", PHP_BCRYPT, None, 0)]
                source.cursor().executemany("INSERT INTO users VALUES (%s, %s, %s, %s, %s)", rows)
            credentials = f"{quote(str(given['user']))}:{quote(str(given['password'] or ''))}"
            yield f"postgres://{credentials}@{given['host']}:{given['port']}/{name}"
        finally:
            # A pooler keeps connections to it.
            outside.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_people_come_from_a_former_system_on_postgresql(portal_on_postgresql: str, db: None) -> None:
    assert "2 accounts" in import_users(portal_on_postgresql, "--from", "portal")
    assert list(User.objects.order_by("username").values_list("username", "email", "role", "is_active")) == [
        ("li", None, "viewer", False),
        ("wang", "wang@portal.cn", "viewer", True),
    ]
    assert Api(mount="/auth").login("wang", PASSWORD).status_code == 200


def test_a_source_without_the_systems_tables_is_refused(tmp_path: Path, db: None) -> None:
    sqlite3.connect(tmp_path / "empty.db").close()
    said = import_users(f"sqlite:///{tmp_path}/empty.db", "--from", "portal")
    assert said == "The database has no table users or user."
