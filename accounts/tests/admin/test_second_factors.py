"""Second factors of other people: the column, the filter, and their removal by an administrator."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Message, RecoveryCode, SecondFactor, User
from accounts.tests.admin.conftest import message_texts, result_names, run_action
from accounts.tests.admin_client import logged_in
from accounts.tests.factors import enrol_app
from accounts.tests.tools import PASSWORD, Api, captured_statements, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
VERB = "remove-second-factors"


@pytest.mark.parametrize(
    ("chosen", "found"), [("yes", ["alice"]), ("no", ["audrey", "bob", "head"]), ("staff", ["audrey", "head"])]
)
def test_the_list_is_filtered(
    staff_client: Client, alice: User, bob: User, auditor: User, chosen: str, found: list[str]
) -> None:
    enrol_app(alice)
    assert result_names(staff_client.get(USERS, {"second_factor": chosen})) == found


def test_an_app_without_a_first_code_is_no_second_factor(staff_client: Client, alice: User) -> None:
    enrol_app(alice)
    SecondFactor.objects.update(confirmed_at=None)
    assert result_names(staff_client.get(USERS, {"second_factor": "yes"})) == []


def test_the_column_costs_no_statement_for_each_row(staff_client: Client, alice: User) -> None:
    staff_client.get(USERS)

    def needed() -> int:
        with captured_statements() as captured:
            assert "alice" in staff_client.get(USERS).content.decode()
        return len(captured.sql)

    before = needed()
    enrol_app(alice)
    for number in range(3):
        enrol_app(User.objects.create_user(f"nurse{number}", None, PASSWORD, role="doctor"))
    assert needed() == before


def test_the_page_of_a_user_names_the_factors(staff_client: Client, alice: User) -> None:
    enrol_app(alice)
    assert "authenticator app" in staff_client.get(f"{USERS}{alice.pk}/change/").content.decode()


def test_a_removal_is_recorded_notified_and_ends_the_sessions(staff_client: Client, head: User, alice: User) -> None:
    token = Api().tokens()["access_token"]
    enrol_app(alice)
    User.objects.filter(pk=alice.pk).update(verified_email=alice.email_key)
    Message.objects.all().delete()
    with later(minutes=2):
        result = run_action(staff_client, VERB, alice, reason="phone stolen")
    assert message_texts(result) == ["The second factors of 1 account were removed."]
    event = SecurityEvent.objects.get(event="second_factor:removed")
    assert (event.user_id, event.actor_id, event.detail["reason"]) == (alice.pk, head.pk, "phone stolen")
    assert {message.kind for message in Message.objects.all()} == {"second_factor_removed"}
    assert Api().get("me", token).status_code == 401
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_it_requires_a_reason(staff_client: Client, alice: User) -> None:
    enrol_app(alice)
    assert "Enter a reason" in run_action(staff_client, VERB, alice).content.decode()
    assert SecondFactor.objects.exists()


def skipped(client: Client, user: User) -> Any:
    return message_texts(run_action(client, VERB, user, reason="lost"))


def test_nobody_removes_their_own(staff_client: Client, head: User) -> None:
    enrol_app(head)
    assert skipped(staff_client, head) == ["1 was skipped (head): you cannot do this to your own account."]


def test_an_administrator_removes_none_of_a_superuser(staff_client: Client, root: User) -> None:
    enrol_app(root)
    assert skipped(staff_client, root) == ["1 was skipped (root): only a superuser may do this to a superuser."]


def test_it_is_no_change_where_there_are_none(staff_client: Client, alice: User) -> None:
    assert skipped(staff_client, alice) == ["1 was skipped (alice): has no second factor."]


def test_it_requires_its_permission(auditor: User, alice: User) -> None:
    enrol_app(alice)
    assert run_action(logged_in(auditor), VERB, alice, reason="lost").status_code == 403
    assert SecondFactor.objects.exists()
