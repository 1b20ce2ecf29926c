"""The prepared statements of requests, refreshes and logins: each has every column, as the ORM reads and writes it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F, Model
from django.utils import timezone

from accounts.models import Session, User
from accounts.services.statements import LOGGED_IN_AND_OPENED, SESSION, rotation_in_place, user_by
from accounts.tests.tools import Api
from audit.validity import today

pytestmark = pytest.mark.django_db


def columns(row: Model | None) -> dict[str, Any]:
    """Return the values of all columns; one that was not read would be missing."""
    assert row is not None
    return {field.attname: row.__dict__[field.attname] for field in row._meta.concrete_fields}


@pytest.fixture
def session(alice: User) -> Session:
    Api().login()
    return Session.objects.get()


def rotate(session: Session, now: datetime) -> Session | None:
    """Rotate the session as it was read."""
    names = ("id", "contract", "generation", "ip", "user_agent")
    place = {name: getattr(session, name) for name in names}
    return rotation_in_place(timedelta(days=1)).execute(**place, now=now, day=today())


def test_a_session_comes_with_its_user(session: Session, alice: User) -> None:
    found = SESSION.first(id=session.pk, contract="native")
    assert (columns(found), columns(found and found.user)) == (columns(session), columns(User.objects.get()))


def test_a_session_of_another_contract_is_not_found(session: Session) -> None:
    assert SESSION.first(id=session.pk, contract="portal") is None


def test_a_rotated_session_comes_with_its_user(session: Session, alice: User) -> None:
    now = timezone.now()
    found = rotate(session, now)
    stored = Session.objects.get()
    assert (columns(found), columns(found and found.user)) == (columns(stored), columns(User.objects.get()))
    assert (stored.generation, stored.last_seen_at, stored.expires_at) == (1, now, now + timedelta(days=1))


@pytest.mark.parametrize(
    "change",
    [
        {"ended_at": F("created_at")},
        {"expires_at": F("created_at")},
        {"stamp": "another"},
        {"generation": 1},
        {"contract": "portal"},
        {"ip": "198.51.100.7"},
        {"user_agent": "Another/1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_other_session_is_rotated_in_place(session: Session, change: dict[str, Any]) -> None:
    Session.objects.update(**change)
    assert rotate(session, timezone.now()) is None
    assert Session.objects.get().last_seen_at == session.last_seen_at


@pytest.mark.parametrize("column", ["username_key", "email_key", "phone"])
def test_a_user_is_found_by_each_identifier(alice: User, column: str) -> None:
    User.objects.update(phone="+8613800138000")
    stored = User.objects.get()
    found = user_by(column).first(
        value=getattr(stored, column), address="192.0.2.1", contract="native", now=timezone.now()
    )
    assert columns(found) == columns(stored)


@pytest.mark.parametrize(("stamp", "opened"), [(None, True), ("another", False)])
def test_a_login_opens_a_session_unless_a_credential_has_changed(
    session: Session, alice: User, stamp: str | None, opened: bool
) -> None:
    now, row = timezone.now(), Session.objects.get()
    row.pk, row.ip, row.ended_at, row._state.adding = uuid4(), None, now, True
    login = {"id": alice.pk, "stamp": stamp or User.objects.get().stamp, "now": now, "ip": "2001:db8::1", "device": ""}
    assert LOGGED_IN_AND_OPENED.execute(row, **login) is opened
    stored = Session.objects.filter(pk=row.pk).first()
    assert (columns(stored) if stored else None) == (columns(row) if opened else None)
    user = User.objects.get()
    assert (user.last_login == now, user.last_login_ip == "2001:db8::1") == (opened, opened)
