"""What administrators decide from the list and the page of people."""

from typing import Any

import pytest
from django.test import Client

from accounts.admin import confirmed_actions
from accounts.models import Message, Session, User
from accounts.services import users
from accounts.tests.admin.conftest import do, told
from accounts.tests.tools import HERE, Api
from audit.models import SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


def events(*names: str) -> list[tuple[Any, ...]]:
    found = SecurityEvent.objects.filter(contract="admin", event__in=names).order_by("id")
    return list(found.values_list("event", "user", "actor", "detail"))


@pytest.fixture
def waiting(alice: User) -> User:
    User.objects.filter(pk=alice.pk).update(awaits_approval=True)
    return alice


def test_a_chosen_action_asks_first_and_does_nothing(office: Client, waiting: User) -> None:
    page = office.post(USERS, {"action": "approve", "_selected_action": [waiting.pk]})
    assert "alice · Alice Zhang · pharmacy · awaits approval" in page.content.decode()
    assert "1 is concerned" in page.content.decode()
    assert User.objects.get(pk=waiting.pk).awaits_approval


def test_the_page_that_asks_says_what_follows(office: Client, alice: User) -> None:
    page = office.post(f"{USERS}do/deactivate/", {"ids": alice.pk}).content.decode()
    assert "Nobody logs in to these accounts any more, and their sessions end at the next request." in page


def test_whoever_is_approved_logs_in(office: Client, head: User, waiting: User) -> None:
    assert told(do(office, "approve", waiting)) == ["Approve: 1 was done."]
    assert events("user:approved") == [("user:approved", waiting.pk, head.pk, {})]
    assert Api().login().status_code == 200


def test_whoever_is_rejected_is_disabled_and_the_trail_has_the_reason(
    office: Client, head: User, waiting: User
) -> None:
    do(office, "reject", waiting, reason="Not on the ward's list.")
    assert events("user:rejected") == [
        ("user:rejected", waiting.pk, head.pk, {"reason": "Not on the ward's list."}),
    ]
    assert not User.objects.get(pk=waiting.pk).is_active


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_nobody_is_rejected_without_a_fitting_reason(office: Client, waiting: User, reason: str) -> None:
    page = do(office, "reject", waiting, reason=reason)
    assert "Give a reason, of at most 500 characters." in page.content.decode()
    assert User.objects.get(pk=waiting.pk).is_active


def test_whoever_does_not_wait_is_not_rejected(office: Client, alice: User) -> None:
    assert told(do(office, "reject", alice, reason="No.")) == [
        "Reject: 0 were done.",
        "1 was skipped (alice): there was nothing to do.",
    ]
    assert User.objects.get(pk=alice.pk).is_active


def test_a_deactivated_account_is_out_at_the_next_request(office: Client, head: User, alice: User) -> None:
    token = Api().tokens()["access_token"]
    do(office, "deactivate", alice)
    assert Api().get("me", token).status_code == 401
    assert events("user:deactivated") == [("user:deactivated", alice.pk, head.pk, {})]


def test_nobody_deactivates_themselves(office: Client, head: User) -> None:
    assert (
        told(do(office, "deactivate", head))[1]
        == "1 was skipped (head): you cannot deactivate your own account or change its role."
    )


def test_an_activated_account_logs_in(office: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    do(office, "activate", alice)
    assert Api().login().status_code == 200


def test_a_rejected_account_that_is_activated_waits_again(office: Client, waiting: User) -> None:
    do(office, "reject", waiting, reason="No.")
    do(office, "activate", waiting)
    assert Api().login().json()["code"] == "approval_pending"


def test_an_unlocked_account_logs_in(office: Client, head: User, alice: User) -> None:
    for _ in range(5):
        Api("192.0.2.77").login(password="wrong")
    assert Api("192.0.2.77").login().status_code == 429
    do(office, "unlock", alice)
    assert Api("192.0.2.77").login().status_code == 200
    assert events("user:unlocked") == [("user:unlocked", alice.pk, head.pk, {})]


def test_ended_sessions_are_out_at_the_next_request(office: Client, head: User, alice: User) -> None:
    token = Api().tokens()["access_token"]
    do(office, "end-sessions", alice)
    assert Api().get("me", token).status_code == 401
    assert events("session:ended") == [
        ("session:ended", alice.pk, head.pk, {"reason": "ended_by_administrator", "count": 1})
    ]


def test_a_login_of_the_admin_site_ends_too_with_its_event(roots: Client, office: Client, head: User) -> None:
    do(roots, "end-sessions", head)
    assert office.get("/admin/").status_code == 302
    assert [event[1] for event in events("session:ended")] == [head.pk]


class TestCode:
    @pytest.mark.parametrize(("email", "channel"), [("alice@hospital.example", "email"), (None, "phone")])
    def test_it_goes_to_the_address_or_else_the_number(
        self, office: Client, head: User, alice: User, email: str | None, channel: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(email=email)
        assert told(do(office, "send-code", alice)) == ["Send a code for a new password: 1 was done."]
        message = Message.objects.get()
        assert (message.kind, message.channel, message.user_id) == ("reset_code", channel, alice.pk)
        told_event = {"purpose": "reset", "channel": channel, "sent": True}
        assert events("code:requested") == [("code:requested", alice.pk, head.pk, told_event)]

    def test_the_present_password_stays_good(self, office: Client, alice: User) -> None:
        do(office, "send-code", alice)
        assert Api().login().status_code == 200

    def test_a_second_within_a_minute_is_not_sent(self, office: Client, alice: User) -> None:
        do(office, "send-code", alice)
        assert told(do(office, "send-code", alice))[1] == (
            "1 was skipped (alice): as many as may be for now; try again later."
        )
        assert Message.objects.count() == 1

    def test_an_account_without_an_address_gets_none(self, office: Client, bob: User) -> None:
        assert told(do(office, "send-code", bob))[1] == "1 was skipped (bob): gone, disabled, or without an address."

    def test_nobody_sends_one_to_a_superuser(self, office: Client, root: User) -> None:
        do(office, "send-code", root)
        assert not Message.objects.exists()


@pytest.mark.parametrize("verb", ["approve", "activate", "deactivate", "unlock", "end-sessions", "send-code"])
def test_a_superuser_is_skipped_by_name_and_the_others_are_done(
    office: Client, root: User, alice: User, verb: str
) -> None:
    response = do(office, verb, root)
    assert told(response)[1] == "1 was skipped (root): only a superuser may do this to a superuser."


def test_the_page_that_asks_names_the_superusers_it_skips(office: Client, root: User, alice: User) -> None:
    page = office.post(f"{USERS}do/deactivate/", {"ids": f"{root.pk},{alice.pk}"}).content.decode()
    assert "1 is concerned" in page
    assert "1 is skipped: only a superuser may do this to a superuser" in page


def test_a_superuser_may(roots: Client, root: User, head: User) -> None:
    User.objects.filter(pk=head.pk).update(is_superuser=True)
    do(roots, "deactivate", head)
    assert not User.objects.get(pk=head.pk).is_active


def test_everybody_across_the_pages_is_named(office: Client) -> None:
    User.objects.bulk_create([User(username=f"nurse{n}", password="!") for n in range(60)])
    body = {"action": "deactivate", "select_across": "1", "_selected_action": ["1"], "index": "0"}
    page = office.post(f"{USERS}?q=nurse", body).content.decode()
    assert "60 are concerned" in page


def test_more_than_may_be_at_a_time_are_told_so(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmed_actions, "MAX_SELECTED", 3)
    User.objects.bulk_create([User(username=f"nurse{n}", password="!") for n in range(4)])
    body = {"action": "deactivate", "select_across": "1", "_selected_action": ["1"], "index": "0"}
    response = office.post(f"{USERS}?q=nurse", body, follow=True)
    assert told(response) == ["At most 3 at a time; 4 are selected. Narrow the list with its filters."]


@pytest.mark.parametrize("ids", ["", "x", "1,x", "9" * 30])
def test_what_is_no_key_is_refused(office: Client, ids: str) -> None:
    assert office.post(f"{USERS}do/approve/", {"ids": ids, "confirmed": "yes"}).status_code in {302, 400}


def test_a_verb_is_no_link(office: Client, alice: User) -> None:
    answer = office.get(f"{USERS}do/deactivate/")
    assert (answer.status_code, answer["Location"]) == (302, USERS)


def test_a_verb_wants_its_csrf_token(office: Client, alice: User) -> None:
    office.handler.enforce_csrf_checks = True
    assert office.post(f"{USERS}do/deactivate/", {"ids": alice.pk, "confirmed": "yes"}).status_code == 403


def test_the_page_of_an_account_leads_back_to_it(office: Client, alice: User) -> None:
    response = office.post(f"{USERS}do/unlock/", {"ids": alice.pk, "confirmed": "yes", "page": "yes"})
    assert response.headers["Location"] == f"{USERS}{alice.pk}/change/"


class TestSessions:
    def test_a_forced_logout_is_an_event_and_works_at_the_next_request(
        self, office: Client, head: User, alice: User
    ) -> None:
        token = Api().tokens()["access_token"]
        session = Session.objects.get()
        assert told(do(office, "end", session, model="session")) == ["Force logout: 1 was done."]
        assert Api().get("me", token).status_code == 401
        detail = {"session": str(session.pk), "reason": "ended_by_administrator"}
        assert events("session:ended") == [("session:ended", alice.pk, head.pk, detail)]

    def test_the_list_asks_first(self, office: Client, alice: User) -> None:
        Api().tokens()
        session = Session.objects.get()
        body = {"action": "end", "_selected_action": [str(session.pk)]}
        page = office.post("/admin/accounts/session/", body).content.decode()
        assert f"alice · native API · {HERE} · Firefox on a ward computer" in page
        assert Session.objects.get().ended_at is None

    def test_a_superusers_session_is_left_to_superusers(self, office: Client, root: User) -> None:
        token = Api().tokens("root")["access_token"]
        do(office, "end", Session.objects.get(), model="session")
        assert Api().get("me", token).status_code == 200


def test_a_decision_about_nothing_new_is_no_event(office: Client, alice: User) -> None:
    do(office, "activate", alice)
    do(office, "approve", alice)
    do(office, "unlock", alice)
    assert events("user:activated", "user:approved", "user:unlocked") == []


def test_an_account_made_without_a_password_gets_one_by_code(origin: Origin, office: Client) -> None:
    columns = {"username": "newcomer", "email": "newcomer@hospital.example", "role": "doctor"}
    user = users.create(columns=columns, password=None, origin=origin)
    assert not user.has_usable_password()
    do(office, "send-code", user)
    assert Message.objects.get().user_id == user.pk
