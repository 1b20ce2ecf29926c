"""The list of locks in force: of accounts, of names that no account has, and of addresses."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AttemptBudget, User
from accounts.security.locked_accounts import in_force
from accounts.tests.admin.conftest import logged_in, message_texts, run_action
from accounts.tests.tools import ELSEWHERE, HERE, Api, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

LOCKS = "/admin/accounts/attemptbudget/"


def lock(name: str) -> AttemptBudget:
    """Lock a name at an address by wrong passwords."""
    for _ in range(5):
        Api(ELSEWHERE).login(name, "wrong")
    return AttemptBudget.objects.get(purpose="login", locked_until__isnull=False)


def events(*names: str) -> list[tuple[str, object, object]]:
    rows = SecurityEvent.objects.filter(event__in=names).order_by("pk")
    return [(row.event, row.user_id, row.detail.get("identifier", row.detail.get("address"))) for row in rows]


def test_a_locked_name_without_an_account_is_listed_as_typed_and_unlocked(staff_client: Client) -> None:
    row = lock("No.Body")
    page = staff_client.get(LOCKS).content.decode()
    assert "No.Body (no such account)" in page
    assert f"logins from {ELSEWHERE}" in page
    assert message_texts(run_action(staff_client, "unlock", row, model="attemptbudget")) == ["1 was unlocked."]
    assert events("name:locked", "name:unlocked", "account:locked", "address:locked") == [
        ("name:locked", None, "No.Body"),
        ("name:unlocked", None, "No.Body"),
    ]
    assert Api(ELSEWHERE).login("No.Body", "wrong").status_code == 401


def test_a_locked_account_is_unlocked_there_as_on_its_own_page(staff_client: Client, alice: User) -> None:
    row = lock("alice")
    page = staff_client.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    until = timezone.localtime(row.locked_until)
    assert f"Locked until {until:%Y-%m-%d %H:%M}: logins from {ELSEWHERE}" in page
    run_action(staff_client, "unlock", row, model="attemptbudget")
    assert events("user:unlocked") == [("user:unlocked", alice.pk, None)]
    assert not in_force(timezone.now()).exists()


def test_a_locked_address_is_unlocked_with_its_suspicion(staff_client: Client) -> None:
    until = timezone.now() + timedelta(hours=1)
    for purpose in ("address", "address:suspicion"):
        AttemptBudget.objects.create(purpose=purpose, address=HERE, locked_until=until, expires_at=until)
    row = AttemptBudget.objects.get(purpose="address")
    run_action(staff_client, "unlock", row, model="attemptbudget")
    assert events("address:unlocked") == [("address:unlocked", None, HERE)]
    assert not in_force(timezone.now()).exists()


def test_a_lock_that_has_ended_is_not_listed(staff_client: Client) -> None:
    lock("nobody")
    with later(minutes=16):
        assert not in_force(timezone.now()).exists()


def test_a_superusers_lock_is_left_to_superusers(staff_client: Client, root: User) -> None:
    row = lock("root")
    assert 'name="ids"' not in staff_client.get(LOCKS).content.decode()
    assert message_texts(run_action(staff_client, "unlock", row, model="attemptbudget")) == [
        "1 was skipped (root): only a superuser may do this to a superuser."
    ]
    assert in_force(timezone.now()).exists()


def test_an_auditor_does_not_see_the_locks(auditor: User) -> None:
    assert logged_in(auditor).get(LOCKS).status_code == 403
