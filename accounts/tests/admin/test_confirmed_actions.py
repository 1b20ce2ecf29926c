"""The confirmed actions of the lists and of the page of a user."""

from typing import Any

import pytest
from django.test import Client

from accounts.admin import confirmed_actions
from accounts.models import AttemptBudget, Message, Session, User
from accounts.services import users
from accounts.tests.admin.conftest import message_texts, run_action
from accounts.tests.tools import HERE, Api
from audit.models import SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


def events(*names: str) -> list[tuple[Any, ...]]:
    found = SecurityEvent.objects.filter(contract="admin", event__in=names).order_by("id")
    return list(found.values_list("event", "user", "actor", "detail"))


@pytest.fixture
def pending_user(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(awaits_approval=True)
    return alice


def test_an_action_from_the_list_asks_for_confirmation(staff_client: Client, pending_user: User) -> None:
    page = staff_client.post(USERS, {"action": "approve", "_selected_action": [pending_user.pk]})
    assert "alice · Alice Zhang · pharmacy · awaits approval" in page.content.decode()
    assert "1 user selected" in page.content.decode()
    assert User.objects.get(pk=pending_user.pk).awaits_approval


def test_the_confirmation_page_names_the_consequence(staff_client: Client, alice: User) -> None:
    page = staff_client.post(f"{USERS}do/deactivate/", {"ids": alice.pk}).content.decode()
    assert "Logins are refused, and the sessions end at the next request." in page


def test_an_approved_user_can_log_in(staff_client: Client, head: User, pending_user: User) -> None:
    assert message_texts(run_action(staff_client, "approve", pending_user)) == ["Approve: 1 succeeded."]
    assert events("user:approved") == [("user:approved", pending_user.pk, head.pk, {})]
    assert Api().login().status_code == 200


def test_a_rejected_account_is_disabled_and_the_reason_is_recorded(
    staff_client: Client, head: User, pending_user: User
) -> None:
    run_action(staff_client, "reject", pending_user, reason="Not on the ward's list.")
    assert events("user:rejected") == [
        ("user:rejected", pending_user.pk, head.pk, {"reason": "Not on the ward's list."}),
    ]
    assert not User.objects.get(pk=pending_user.pk).is_active


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_rejection_requires_a_valid_reason(staff_client: Client, pending_user: User, reason: str) -> None:
    page = run_action(staff_client, "reject", pending_user, reason=reason)
    assert "Enter a reason of at most 500 characters." in page.content.decode()
    assert User.objects.get(pk=pending_user.pk).is_active


def test_an_approved_account_is_not_rejected(staff_client: Client, alice: User) -> None:
    assert message_texts(run_action(staff_client, "reject", alice, reason="No.")) == [
        "1 was skipped (alice): no change was needed.",
    ]
    assert User.objects.get(pk=alice.pk).is_active


def test_a_deactivated_accounts_token_is_refused_at_the_next_request(
    staff_client: Client, head: User, alice: User
) -> None:
    token = Api().tokens()["access_token"]
    run_action(staff_client, "deactivate", alice)
    assert Api().get("me", token).status_code == 401
    assert events("user:deactivated") == [("user:deactivated", alice.pk, head.pk, {})]


def test_administrators_cannot_deactivate_themselves(staff_client: Client, head: User) -> None:
    assert (
        message_texts(run_action(staff_client, "deactivate", head))[0]
        == "1 was skipped (head): you cannot do this to your own account."
    )


def test_an_activated_account_can_log_in(staff_client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    run_action(staff_client, "activate", alice)
    assert Api().login().status_code == 200


def test_a_rejected_account_that_is_activated_awaits_approval(staff_client: Client, pending_user: User) -> None:
    run_action(staff_client, "reject", pending_user, reason="No.")
    run_action(staff_client, "activate", pending_user)
    assert Api().login().json()["code"] == "approval_pending"


def test_an_unlocked_account_can_log_in(staff_client: Client, head: User, alice: User) -> None:
    for _ in range(5):
        Api("192.0.2.77").login(password="wrong")
    assert Api("192.0.2.77").login().status_code == 429
    run_action(staff_client, "unlock", alice)
    assert Api("192.0.2.77").login().status_code == 200
    assert events("user:unlocked") == [("user:unlocked", alice.pk, head.pk, {})]


def test_end_sessions_ends_tokens_at_the_next_request(staff_client: Client, head: User, alice: User) -> None:
    token = Api().tokens()["access_token"]
    run_action(staff_client, "end-sessions", alice)
    assert Api().get("me", token).status_code == 401
    assert events("session:ended") == [
        ("session:ended", alice.pk, head.pk, {"reason": "ended_by_administrator", "count": 1})
    ]


def test_end_sessions_ends_the_admin_login_too(superuser_client: Client, staff_client: Client, head: User) -> None:
    run_action(superuser_client, "end-sessions", head)
    assert staff_client.get("/admin/").status_code == 302
    assert [event[1] for event in events("session:ended")] == [head.pk]


# One more than an address may ask for in an hour.
_REACHABLE = 101


def _contact(number: int) -> dict[str, str | None]:
    """Return an e-mail address for the first ones."""
    mail = f"new{number}@hospital.example" if number < _REACHABLE else None
    return {"email": mail, "email_key": mail, "vouched_email": mail or ""}


class TestCode:
    @pytest.mark.parametrize(("email", "channel"), [("alice@hospital.example", "email"), (None, "phone")])
    def test_it_is_sent_to_the_email_address_or_else_the_phone_number(
        self, staff_client: Client, head: User, alice: User, email: str | None, channel: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(email=email)
        assert message_texts(run_action(staff_client, "send-code", alice)) == [
            "Send an activation link or a reset code: 1 succeeded."
        ]
        message = Message.objects.get()
        assert (message.kind, message.channel, message.user_id) == ("reset_code", channel, alice.pk)
        detail = {"purpose": "reset", "channel": channel, "sent": True}
        assert events("code:requested") == [("code:requested", alice.pk, head.pk, detail)]

    def test_the_current_password_remains_valid(self, staff_client: Client, alice: User) -> None:
        run_action(staff_client, "send-code", alice)
        assert Api().login().status_code == 200

    def test_a_second_code_within_a_minute_is_not_sent(self, staff_client: Client, alice: User) -> None:
        run_action(staff_client, "send-code", alice)
        assert message_texts(run_action(staff_client, "send-code", alice))[0] == (
            "1 was skipped (alice): the limit of messages to this account or contact, or of yours, is reached; try"
            " again later."
        )
        assert Message.objects.count() == 1

    def test_an_account_without_an_address_is_skipped(self, staff_client: Client, bob: User) -> None:
        assert (
            message_texts(run_action(staff_client, "send-code", bob))[0]
            == "1 was skipped (bob): the account has no e-mail address or mobile number that codes are sent to."
        )

    def test_more_new_users_than_an_address_may_ask_for_are_sent_links_and_those_left_out_are_all_named(
        self, staff_client: Client, head: User
    ) -> None:
        people = [
            User(username=f"new{number}", username_key=f"new{number}", password="!", role="viewer", **_contact(number))
            for number in range(_REACHABLE + 12)
        ]
        User.objects.bulk_create(people)
        new = User.objects.filter(username__startswith="new")
        response = run_action(staff_client, "send-code", *new)
        done, left_out = message_texts(response)
        assert done == "Send an activation link or a reset code: 101 succeeded."
        assert Message.objects.filter(kind="activation").count() == _REACHABLE
        reason = "12 were skipped: the account has no e-mail address or mobile number that codes are sent to."
        assert left_out.startswith(reason)
        assert left_out.count("<div>") == 12
        assert AttemptBudget.objects.get(purpose="codes:administrator").account_id == head.pk

    def test_an_administrator_sends_none_to_a_superuser(self, staff_client: Client, root: User) -> None:
        run_action(staff_client, "send-code", root)
        assert not Message.objects.exists()


@pytest.mark.parametrize("action", ["approve", "activate", "deactivate", "unlock", "end-sessions", "send-code"])
def test_a_superuser_is_skipped_and_named(staff_client: Client, root: User, alice: User, action: str) -> None:
    response = run_action(staff_client, action, root)
    assert message_texts(response)[0] == "1 was skipped (root): only a superuser may do this to a superuser."


def test_the_confirmation_page_names_the_skipped_superusers(staff_client: Client, root: User, alice: User) -> None:
    page = staff_client.post(f"{USERS}do/deactivate/", {"ids": f"{root.pk},{alice.pk}"}).content.decode()
    assert "1 user selected" in page
    assert "1 will be skipped: only a superuser may do this to a superuser" in page


def test_a_superuser_may_act_on_a_superuser(superuser_client: Client, root: User, head: User) -> None:
    User.objects.filter(pk=head.pk).update(is_superuser=True)
    run_action(superuser_client, "deactivate", head)
    assert not User.objects.get(pk=head.pk).is_active


def test_a_selection_across_pages_is_complete(staff_client: Client) -> None:
    User.objects.bulk_create([User(username=f"nurse{n}", password="!") for n in range(60)])
    body = {"action": "deactivate", "select_across": "1", "_selected_action": ["1"], "index": "0"}
    page = staff_client.post(f"{USERS}?q=nurse", body).content.decode()
    assert "60 users selected" in page


def test_a_selection_over_the_limit_is_refused(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmed_actions, "MAX_SELECTED", 3)
    User.objects.bulk_create([User(username=f"nurse{n}", password="!") for n in range(4)])
    body = {"action": "deactivate", "select_across": "1", "_selected_action": ["1"], "index": "0"}
    response = staff_client.post(f"{USERS}?q=nurse", body, follow=True)
    assert message_texts(response) == ["At most 3 can be selected; 4 are selected. Narrow the list with its filters."]


@pytest.mark.parametrize("ids", ["", "x", "1,x", "9" * 30])
def test_invalid_ids_are_refused(staff_client: Client, ids: str) -> None:
    assert staff_client.post(f"{USERS}do/approve/", {"ids": ids, "confirmed": "yes"}).status_code in {302, 400}


def test_an_action_requires_post(staff_client: Client, alice: User) -> None:
    answer = staff_client.get(f"{USERS}do/deactivate/")
    assert (answer.status_code, answer["Location"]) == (302, USERS)


def test_an_action_requires_a_csrf_token(staff_client: Client, alice: User) -> None:
    staff_client.handler.enforce_csrf_checks = True
    assert staff_client.post(f"{USERS}do/deactivate/", {"ids": alice.pk, "confirmed": "yes"}).status_code == 403


def test_an_action_from_a_users_page_returns_to_it(staff_client: Client, alice: User) -> None:
    response = staff_client.post(f"{USERS}do/unlock/", {"ids": alice.pk, "confirmed": "yes", "page": "yes"})
    assert response.headers["Location"] == f"{USERS}{alice.pk}/change/"


class TestSessions:
    def test_a_forced_logout_is_recorded_and_ends_the_token_at_the_next_request(
        self, staff_client: Client, head: User, alice: User
    ) -> None:
        token = Api().tokens()["access_token"]
        session = Session.objects.get(contract="native")
        assert message_texts(run_action(staff_client, "end", session, model="session")) == [
            "Force logout: 1 succeeded."
        ]
        assert Api().get("me", token).status_code == 401
        detail = {"session": str(session.pk), "reason": "ended_by_administrator"}
        assert events("session:ended") == [("session:ended", alice.pk, head.pk, detail)]

    def test_the_list_asks_for_confirmation(self, staff_client: Client, alice: User) -> None:
        Api().tokens()
        session = Session.objects.get(contract="native")
        body = {"action": "end", "_selected_action": [str(session.pk)]}
        page = staff_client.post("/admin/accounts/session/", body).content.decode()
        assert f"alice · native API · {HERE} · Firefox on a ward computer" in page
        assert Session.objects.get(contract="native").ended_at is None

    def test_an_administrator_does_not_end_a_superusers_session(self, staff_client: Client, root: User) -> None:
        token = Api().tokens("root")["access_token"]
        run_action(staff_client, "end", Session.objects.get(contract="native"), model="session")
        assert Api().get("me", token).status_code == 200


def test_an_action_without_a_change_records_no_event(staff_client: Client, alice: User) -> None:
    run_action(staff_client, "activate", alice)
    run_action(staff_client, "approve", alice)
    run_action(staff_client, "unlock", alice)
    assert events("user:activated", "user:approved", "user:unlocked") == []


def test_an_account_without_a_password_is_sent_an_activation(origin: Origin, staff_client: Client) -> None:
    columns = {"username": "newcomer", "email": "newcomer@hospital.example", "role": "doctor"}
    user = users.create(columns=columns, password=None, origin=origin)
    assert not user.has_usable_password()
    run_action(staff_client, "send-code", user)
    message = Message.objects.get()
    assert (message.user_id, message.kind) == (user.pk, "activation")
