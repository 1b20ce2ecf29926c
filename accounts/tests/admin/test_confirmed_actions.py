"""The confirmed actions of the lists and of the page of a user."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.admin import confirmed_actions
from accounts.models import Message, Session, User
from accounts.services import users
from accounts.tests.admin.conftest import events, message_texts, run_action
from accounts.tests.tools import HERE, Api
from audit.origin import Origin
from audit.validity import today

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


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
    assert message_texts(run_action(staff_client, "approve", pending_user)) == ["1 account was approved."]
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
        "1 was skipped (alice): does not await approval.",
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
        assert message_texts(run_action(staff_client, "end", session, model="session")) == ["1 session was ended."]
        assert Api().get("me", token).status_code == 401
        detail = {"session": str(session.pk), "reason": "ended_by_administrator"}
        assert events("session:ended") == [("session:ended", alice.pk, head.pk, detail)]

    def test_the_list_asks_for_confirmation(self, staff_client: Client, alice: User) -> None:
        Api().tokens()
        session = Session.objects.get(contract="native")
        body = {"action": "end", "_selected_action": [str(session.pk)]}
        page = staff_client.post("/admin/accounts/session/", body).content.decode()
        assert re.search(rf"<li>alice · Alice Zhang · native API · [-0-9]+ [:0-9]+ · {HERE} · Firefox on a ward", page)
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


def offered(client: Client, url: str) -> list[str]:
    """Return the actions that a page offers: a list in its form, a user's page by its buttons."""
    context = client.get(url).context
    if form := context.get("action_form"):
        return [name for name, _label in form.fields["action"].choices if name]
    return list(context["confirmed_actions"])


def test_a_page_and_a_list_offer_what_has_an_effect(staff_client: Client, pending_user: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    pages = (f"{USERS}{pending_user.pk}/change/", f"{USERS}{bob.pk}/change/")
    lists = (f"{USERS}?state=awaiting", f"{USERS}?state=disabled")
    for url in (pages[0], lists[0]):
        assert {"approve", "reject", "activate", "deactivate", "unlock"} & set(offered(staff_client, url)) == {
            "approve",
            "reject",
        }
    for url in (pages[1], lists[1]):
        assert {"approve", "reject", "activate", "deactivate", "send-code"} & set(offered(staff_client, url)) == {
            "activate"
        }


def test_unlock_is_offered_after_a_failed_login_and_not_after_a_sent_code(staff_client: Client, alice: User) -> None:
    run_action(staff_client, "send-code", alice)
    page = f"{USERS}{alice.pk}/change/"
    sent = offered(staff_client, page)
    Api().login(password="wrong")
    assert ("unlock" in sent, "unlock" in offered(staff_client, page)) == (False, True)


def test_the_activation_of_a_rejected_account_says_that_it_awaits_approval_again(
    staff_client: Client, pending_user: User
) -> None:
    run_action(staff_client, "reject", pending_user, reason="No.")
    page = staff_client.post(f"{USERS}do/activate/", {"ids": str(pending_user.pk)}).content.decode()
    assert "disabled, not approved → awaits approval again" in page
    assert message_texts(run_action(staff_client, "activate", pending_user)) == [
        "1 account was enabled. State now: awaits approval again."
    ]


def test_the_confirmation_page_names_what_will_be_left_unchanged(
    staff_client: Client, pending_user: User, bob: User
) -> None:
    body = {"ids": f"{pending_user.pk},{bob.pk}"}
    page = staff_client.post(f"{USERS}do/approve/", body)
    assert (len(page.context["affected"]), page.context["unchanged"]) == (
        1,
        {"does not await approval": ["bob · doctor · active"]},
    )


def test_the_own_account_is_left_unchanged_for_being_the_own(staff_client: Client, head: User, alice: User) -> None:
    page = staff_client.post(f"{USERS}do/deactivate/", {"ids": f"{alice.pk},{head.pk}"})
    assert page.context["unchanged"] == {"you cannot do this to your own account": ["head · administrator · active"]}


def test_a_session_can_be_ended_in_its_row_on_its_page_and_on_the_users(staff_client: Client, alice: User) -> None:
    Api().tokens()
    session = Session.objects.get(contract="native")
    row = staff_client.get("/admin/accounts/session/?q=alice").content.decode()
    assert f'formaction="/admin/accounts/session/do/end/?q=alice" name="ids" value="{session.pk}"' in row
    assert offered(staff_client, f"/admin/accounts/session/{session.pk}/change/") == ["end"]
    users_page = staff_client.get(f"{USERS}{alice.pk}/change/").content.decode()
    assert f'name="ids" value="{session.pk}">Force logout</button>' in users_page
    answer = run_action(staff_client, "end", session, model="session", page="user")
    assert answer.redirect_chain == [(f"{USERS}{alice.pk}/change/", 302)]


def test_a_rejected_account_is_not_approved(staff_client: Client, pending_user: User) -> None:
    run_action(staff_client, "reject", pending_user, reason="No.")
    assert message_texts(run_action(staff_client, "approve", pending_user)) == [
        "1 was skipped (alice): does not await approval."
    ]
    assert User.objects.get(pk=pending_user.pk).awaits_approval


def test_a_list_without_rows_offers_no_action(staff_client: Client) -> None:
    assert staff_client.get("/admin/accounts/user/?q=nobody").context["action_form"] is None


@pytest.mark.parametrize(
    ("action", "label"), [("change-role", "新角色（将写入审计日志）："), ("grant-group", "用户组（将写入审计日志）：")]
)
def test_the_confirmation_names_what_is_chosen(superuser_client: Client, alice: User, action: str, label: str) -> None:
    body, headers = {"ids": str(alice.pk)}, {"Accept-Language": "zh-CN"}
    page = superuser_client.post(f"{USERS}do/{action}/", body, headers=headers).content.decode()
    assert f'<label for="id_choice" class="required">{label}</label>' in page


@pytest.mark.parametrize(
    ("action", "account"), [("activate", {"is_active": False}), ("approve", {"awaits_approval": True})]
)
@pytest.mark.parametrize(
    ("dates", "state"), [({"valid_until": -1}, "no longer valid"), ({"valid_from": 1}, "not yet valid")]
)
def test_an_account_outside_its_dates_is_not_said_to_be_able_to_log_in(
    staff_client: Client, alice: User, action: str, account: dict[str, bool], dates: dict[str, int], state: str
) -> None:
    columns = {name: today() + timedelta(days=days) for name, days in dates.items()}
    User.objects.filter(pk=alice.pk).update(**account, **columns)
    page = staff_client.post(f"{USERS}do/{action}/", {"ids": str(alice.pk)}).content.decode()
    assert f" → {state}</li>" in page
    (message,) = message_texts(run_action(staff_client, action, alice))
    assert message.endswith(f" State now: {state}.")
