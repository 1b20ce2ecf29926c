"""Codes and links that an administrator sends."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AttemptBudget, Message, User
from accounts.policies import CODES_AN_ADMINISTRATOR
from accounts.tests.admin.conftest import events, message_texts, run_action
from accounts.tests.tools import Api
from audit.validity import today

pytestmark = pytest.mark.django_db

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
        assert message_texts(run_action(staff_client, "send-code", alice)) == ["1 link or code is sent."]
        message = Message.objects.get()
        assert (message.kind, message.channel, message.user_id) == ("reset_code", channel, alice.pk)
        detail = {"purpose": "reset", "channel": channel, "sent": True}
        assert events("code:requested") == [("code:requested", alice.pk, head.pk, detail)]

    def test_the_current_password_remains_valid(self, staff_client: Client, alice: User) -> None:
        run_action(staff_client, "send-code", alice)
        assert Api().login().status_code == 200

    def test_a_second_code_within_a_minute_is_not_sent(self, staff_client: Client, alice: User) -> None:
        now = timezone.now()
        with time_machine.travel(now, tick=False):
            run_action(staff_client, "send-code", alice)
            text = message_texts(run_action(staff_client, "send-code", alice))[0]
        end = f"{timezone.localtime(now + timedelta(minutes=1)):%m-%d %H:%M}"
        assert text == (
            "1 was skipped (alice): the limit of messages to this account or contact is reached; try"
            f" again after {end}."
        )
        assert Message.objects.count() == 1

    def test_an_account_without_an_address_is_skipped(self, staff_client: Client, bob: User) -> None:
        assert (
            message_texts(run_action(staff_client, "send-code", bob))[0]
            == "1 was skipped (bob): has no e-mail address or mobile number that codes are sent to."
        )

    def test_the_disabled_and_those_without_a_contact_are_skipped_for_a_reason_of_their_own(
        self, staff_client: Client, alice: User, bob: User
    ) -> None:
        carol = User.objects.create_user("carol", None, None, role="doctor", is_active=False)
        page = staff_client.post("/admin/accounts/user/do/send-code/", {"ids": f"{alice.pk},{bob.pk},{carol.pk}"})
        assert page.context["unchanged"] == {
            "is disabled": ["carol · doctor · disabled"],
            "has no e-mail address or mobile number that codes are sent to": ["bob · doctor · active"],
        }
        assert message_texts(run_action(staff_client, "send-code", alice, bob, carol)) == [
            "1 link or code is sent.",
            "1 was skipped (carol): is disabled.",
            "1 was skipped (bob): has no e-mail address or mobile number that codes are sent to.",
        ]

    def test_somebody_with_a_landline_alone_is_left_out_before_and_after_the_confirmation_for_one_reason(
        self, staff_client: Client, alice: User, bob: User
    ) -> None:
        User.objects.filter(pk=bob.pk).update(phone="+861062201234", vouched_phone="+861062201234")
        page = staff_client.post("/admin/accounts/user/do/send-code/", {"ids": f"{alice.pk},{bob.pk}"})
        (reason,) = page.context["unchanged"]
        assert message_texts(run_action(staff_client, "send-code", alice, bob)) == [
            "1 link or code is sent.",
            f"1 was skipped (bob): {reason}.",
        ]

    def test_somebody_past_the_last_day_is_left_out(self, staff_client: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(valid_until=today() - timedelta(days=1))
        assert message_texts(run_action(staff_client, "send-code", alice)) == [
            "1 was skipped (alice): no longer valid."
        ]

    def test_beyond_the_administrators_own_limit_none_is_sent(
        self, staff_client: Client, head: User, alice: User
    ) -> None:
        now = timezone.now()
        AttemptBudget.objects.create(
            purpose="codes:administrator",
            account_id=head.pk,
            count=CODES_AN_ADMINISTRATOR,
            expires_at=now + timedelta(hours=1),
        )
        with time_machine.travel(now, tick=False):
            text = message_texts(run_action(staff_client, "send-code", alice))[0]
        end = f"{timezone.localtime(now + timedelta(hours=1)):%m-%d %H:%M}"
        assert text == f"1 was skipped (alice): your own limit of messages is reached; try again after {end}."

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
        assert done == "101 links or codes are sent."
        assert Message.objects.filter(kind="activation").count() == _REACHABLE
        reason = "12 were skipped: has no e-mail address or mobile number that codes are sent to."
        assert left_out.startswith(reason)
        assert left_out.count("<div>") == 12
        assert AttemptBudget.objects.get(purpose="codes:administrator").account_id == head.pk

    def test_an_administrator_sends_none_to_a_superuser(self, staff_client: Client, root: User) -> None:
        run_action(staff_client, "send-code", root)
        assert not Message.objects.exists()
