from collections.abc import Callable
from datetime import timedelta
from typing import Any

import bcrypt
import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import Overloaded
from accounts.models import Session, User
from accounts.security import hashing
from accounts.security.hash_kinds import Argon2
from accounts.security.hashing import Verdict
from accounts.tests.databases import count_by_database
from accounts.tests.tools import BROWSER, ELSEWHERE, HERE, PASSWORD, Api, later
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db

WRONG = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "detail": "The user name or the password is wrong.",
    "code": "invalid_credentials",
}


def last_attempt() -> dict[str, Any]:
    columns = ("user_id", "identifier", "contract", "ip", "user_agent", "status", "failure_reason", "repeats")
    return dict(LoginAttempt.objects.values(*columns)[0])


@pytest.mark.parametrize(
    "identifier",
    [
        "alice",
        "ALICE",
        "ａｌｉｃｅ",
        "alice@hospital.example",
        "Alice@Hospital.Example",
        "13800138000",
        "+86 138-0013-8000",
    ],
)
def test_a_name_an_address_and_a_number_log_in(api: Api, alice: User, identifier: str) -> None:
    assert api.login(identifier).json()["user"]["id"] == alice.pk


def test_the_answer_to_a_login(api: Api, alice: User) -> None:
    body = api.login().json()
    alice.refresh_from_db()
    assert body == {
        "access_token": body["access_token"],
        "refresh_token": body["refresh_token"],
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_expires_in": 1209600,
        "user": {
            "id": alice.pk,
            "username": "alice",
            "email": "alice@hospital.example",
            "phone": "13800138000",
            "role": "pharmacy",
            "full_name": "Alice Zhang",
            "first_name": "",
            "last_name": "",
            "nickname": "",
            "department": "",
            "job_title": "",
            "avatar_url": None,
            "profile": None,
            "language": "zh-hans",
            "email_verified": False,
            "phone_verified": False,
            "pending_email": None,
            "pending_phone": None,
            "is_active": True,
            "awaits_approval": False,
            "valid_from": None,
            "valid_until": None,
            "last_login": alice.last_login.isoformat().replace("+00:00", "Z"),  # type: ignore[union-attr]
            "created_at": alice.created_at.isoformat().replace("+00:00", "Z"),
        },
    }


def test_a_login_is_recorded(api: Api, alice: User) -> None:
    api.login()
    assert last_attempt() == {
        "user_id": alice.pk,
        "identifier": "alice",
        "contract": "native",
        "ip": HERE,
        "user_agent": BROWSER,
        "status": "success",
        "failure_reason": "",
        "repeats": 1,
    }


def test_a_login_notes_when_and_from_where(api: Api, alice: User) -> None:
    with time_machine.travel("2026-05-04T03:02:01Z", tick=False):
        api.login()
    alice.refresh_from_db()
    assert (alice.last_login.isoformat(), alice.last_login_ip) == ("2026-05-04T03:02:01+00:00", HERE)  # type: ignore[union-attr]


def test_a_session_keeps_the_stamp_and_where_it_came_from(api: Api, alice: User) -> None:
    api.login()
    session = Session.objects.get()
    assert (session.user_id, session.stamp, session.contract, session.ip, session.user_agent) == (
        alice.pk,
        alice.stamp,
        "native",
        HERE,
        BROWSER,
    )


@pytest.mark.parametrize(("identifier", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("no body", PASSWORD)])
def test_a_wrong_password_and_an_unknown_name_are_answered_alike(
    api: Api, alice: User, identifier: str, password: str
) -> None:
    response = api.login(identifier, password)
    assert (response.status_code, response.json()) == (401, WRONG)


@pytest.mark.parametrize(
    ("identifier", "reason", "known"),
    [("alice", "wrong_password", True), ("nobody", "unknown_user", False)],
)
def test_a_failure_is_recorded_with_its_reason(
    api: Api, alice: User, identifier: str, reason: str, known: bool
) -> None:
    api.login(identifier, "wrong")
    attempt = last_attempt()
    assert (attempt["user_id"], attempt["status"], attempt["failure_reason"]) == (
        alice.pk if known else None,
        "failed",
        reason,
    )


def test_an_identifier_is_recorded_with_its_control_characters_escaped(api: Api, db: None) -> None:
    api.login("a\u202eb\nc", "wrong")
    assert last_attempt()["identifier"] == "a\\u202eb\\u000ac"


@pytest.mark.parametrize(
    ("columns", "code"),
    [({"is_active": False}, "account_disabled"), ({"awaits_approval": True}, "approval_pending")],
)
def test_an_inactive_account_is_reported_after_the_right_password(
    api: Api, alice: User, columns: dict[str, bool], code: str
) -> None:
    User.objects.filter(pk=alice.pk).update(**columns)
    response = api.login()
    assert (response.status_code, response.json()["code"]) == (403, code)


@pytest.mark.parametrize("columns", [{"is_active": False}, {"awaits_approval": True}])
def test_an_inactive_account_is_not_reported_after_a_wrong_password(
    api: Api, alice: User, columns: dict[str, bool]
) -> None:
    User.objects.filter(pk=alice.pk).update(**columns)
    assert api.login(password="wrong").json() == WRONG


def counted(real: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    def count(*args: Any) -> Any:
        calls.append(real.__name__)
        return real(*args)

    return count


@pytest.mark.parametrize(
    "account", ["alice", "nobody", "disabled", "unusable", "malformed"], ids=lambda account: f"{account} account"
)
def test_every_failure_costs_one_hash(api: Api, alice: User, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if account == "disabled":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    elif account in {"unusable", "malformed"}:
        User.objects.filter(pk=alice.pk).update(password={"unusable": "!", "malformed": "argon2$x"}[account])
    work: list[str] = []
    monkeypatch.setattr(Argon2, "derive", counted(Argon2.derive, work))
    api.login("nobody" if account == "nobody" else "alice", "wrong")
    assert len(work) == 1


def test_spaces_in_a_password_count(api: Api, alice: User) -> None:
    alice.set_password("  two words ")
    alice.save()
    assert [api.login(password=p).status_code for p in ("  two words ", "two words")] == [200, 401]


def test_a_password_does_not_age(api: Api, alice: User) -> None:
    with later(days=3650):
        assert api.login().status_code == 200


def test_a_bcrypt_hash_of_an_old_system_logs_in_and_is_upgraded(api: Api, alice: User) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    User.objects.filter(pk=alice.pk).rehash(alice.password, old)
    tokens = api.tokens()
    assert User.objects.get(pk=alice.pk).password.startswith("argon2$argon2id$")
    assert api.get("me", tokens["access_token"]).status_code == 200


def test_a_password_changed_while_it_was_hashed_does_not_log_in(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(*args: object) -> Verdict:
        User.objects.filter(pk=alice.pk).update(password="!")
        return Verdict(correct=True)

    monkeypatch.setattr(hashing, "verify", verify)
    assert api.login().json() == WRONG
    assert (Session.objects.count(), last_attempt()["failure_reason"]) == (0, "changed_meanwhile")


def test_a_user_deleted_while_the_password_was_hashed_does_not_log_in(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(*args: object) -> Verdict:
        User.objects.filter(pk=alice.pk).delete()
        return Verdict(correct=True)

    monkeypatch.setattr(hashing, "verify", verify)
    assert api.login().json() == WRONG


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_hashing(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def verify(*args: object) -> Verdict:
        seen.append(connection.in_atomic_block)
        return Verdict(correct=True)

    monkeypatch.setattr(hashing, "verify", verify)
    api.login()
    assert seen == [False]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL's connections have a pool.")
@pytest.mark.django_db(transaction=True)
def test_no_connection_of_the_pool_is_held_while_hashing(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    derive = Argon2.derive

    def recorded(*args: Any) -> bytes:
        seen.append(pool.get_stats()["pool_available"])
        return derive(*args)

    connection.close()
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", {"min_size": 1, "max_size": 1})
    pool = connection.pool  # type: ignore[attr-defined]  # Only PostgreSQL's has it.
    try:
        monkeypatch.setattr(Argon2, "derive", recorded)
        assert api.login(username="nobody").status_code == 401
    finally:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # As above.
    assert seen == [1]


@pytest.mark.django_db(transaction=True)
def test_without_a_row_in_the_trail_there_is_no_session(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*entries: object) -> None:
        raise RuntimeError("The disk is full.")

    monkeypatch.setattr("accounts.services.settlement.record", broken)
    assert api.login().status_code == 500
    assert Session.objects.count() == 0


def test_a_login_is_not_lost_because_its_hash_could_not_be_upgraded(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(password: str) -> str:
        raise Overloaded(timedelta(seconds=2))

    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    User.objects.filter(pk=alice.pk).rehash(alice.password, old)
    monkeypatch.setattr(hashing, "make", busy)
    assert api.login().status_code == 200


def test_approval_taken_back_while_the_password_was_hashed_does_not_log_in(
    api: Api, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(*args: object) -> Verdict:
        User.objects.filter(pk=alice.pk).update(awaits_approval=True)
        return Verdict(correct=True)

    monkeypatch.setattr(hashing, "verify", verify)
    assert api.login().json() == WRONG


class TestStatements:
    """Counted by the connection itself, transaction control apart (performance targets)."""

    def test_a_login_from_a_known_address_takes_six_on_postgresql(self, api: Api, alice: User, statements: Any) -> None:
        api.login()
        with statements() as captured:
            api.login()
        assert len(captured.sql) == count_by_database(postgresql=6, others=8), captured.sql

    @pytest.mark.parametrize(
        ("last_ip", "count"),
        [
            (None, count_by_database(postgresql=7, others=9)),
            (ELSEWHERE, count_by_database(postgresql=10, others=11)),
        ],
        ids=["first login", "new address"],
    )
    def test_the_first_login_from_an_address_takes_one_more_and_its_comparison_and_event_two(
        self, api: Api, alice: User, statements: Any, last_ip: str | None, count: int
    ) -> None:
        Api(ELSEWHERE).login()
        # Nobody vouches for a contact: a notice takes more.
        User.objects.update(last_login_ip=last_ip, vouched_email="", vouched_phone="")
        with statements() as captured:
            api.login()
        assert len(captured.sql) == count, captured.sql

    def test_the_first_login_with_a_device_takes_one_more_for_its_event(
        self, api: Api, alice: User, statements: Any
    ) -> None:
        api.login()
        # Nobody vouches for a contact: a notice takes more.
        User.objects.update(vouched_email="", vouched_phone="")
        with statements() as captured:
            api.post("login", {"username": "alice", "password": PASSWORD}, user_agent="Another/1")
        assert len(captured.sql) == count_by_database(postgresql=8, others=9), captured.sql


def test_an_expired_password_is_changed_with_the_token_of_its_login(api: Api, alice: User, settings: Settings) -> None:
    settings.PASSWORD_MAX_AGE = timedelta(days=90)
    User.objects.filter(pk=alice.pk).update(password_changed_at=timezone.now() - timedelta(days=91))
    response = api.login()
    body = response.json()
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
    token = body.pop("password_token")
    assert body == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "This password has expired. Send a new one with this password_token to login/change-password.",
        "code": "password_expired",
        "expires_in": 300,
    }
    answer = api.post("login/change-password", {"password_token": token, "new_password": "Another-horse-8"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.login(password="Another-horse-8").status_code == 200
