"""How many messages one contact receives, over all accounts and purposes."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Channel, Message, Session, User
from accounts.names import IDENTIFIERS
from accounts.tests.contracts.clients import CLINIC, HOSPITAL, NATIVE
from accounts.tests.messages import last, queued
from accounts.tests.tools import PASSWORD, Api, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

VICTIM = {Channel.EMAIL: "victim@hospital.example", Channel.PHONE: "+8613912345678"}
CHANNELS = pytest.mark.parametrize("channel", list(Channel))


def account(number: int, channel: Channel) -> str:
    """Create an account that proposes the victim's contact as its own, and return its access token."""
    user = User.objects.create_user(f"user{number}", None, PASSWORD)
    User.objects.filter(pk=user.pk).update(**{f"pending_{channel}": VICTIM[channel]})
    return str(Api().tokens(user.username)["access_token"])


def owner(channel: Channel) -> User:
    """Create the victim's account, for which an administrator has vouched."""
    user: User = User.objects.create_user("victim", None, PASSWORD)
    columns = (channel, IDENTIFIERS[channel].column, f"vouched_{channel}")
    User.objects.filter(pk=user.pk).update(**dict.fromkeys(columns, VICTIM[channel]))
    return user


def ask(token: str, channel: Channel) -> Any:
    return Api().post("request-verification", {"channel": channel}, token)


@CHANNELS
def test_one_contact_receives_one_code_a_minute_over_all_accounts(db: None, channel: Channel) -> None:
    tokens = [account(number, channel) for number in range(3)]
    answers = [ask(token, channel) for token in tokens]
    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert answers[1].json()["code"] == "too_many_codes"
    assert 50 <= int(answers[1]["Retry-After"]) <= 60
    assert len(queued()) == 1


HOURS_AND_DAYS = pytest.mark.parametrize(
    ("seconds", "of_others", "of_owner"), [(61, 3, 5), (25 * 60, 5, 10)], ids=["hour", "day"]
)


@CHANNELS
@HOURS_AND_DAYS
def test_a_trusted_contact_receives_five_messages_an_hour_and_ten_a_day(
    db: None, channel: Channel, seconds: int, of_others: int, of_owner: int
) -> None:
    owner(channel)
    answers = []
    for number in range(of_owner + 1):
        with later(seconds=seconds * number):
            token = Api().tokens("victim")["access_token"]
            answers.append(ask(token, channel).status_code)
    assert answers == [200] * of_owner + [429]


@CHANNELS
@HOURS_AND_DAYS
def test_requests_of_others_leave_the_account_that_a_contact_belongs_to_a_share(
    db: None, channel: Channel, seconds: int, of_others: int, of_owner: int
) -> None:
    owner(channel)
    answers = []
    for number in range(of_others + 1):
        with later(seconds=seconds * number):
            answers.append(ask(account(number, channel), channel).status_code)
    assert answers == [200] * of_others + [429]
    with later(seconds=seconds * (of_others + 1)):
        body = {"identifier": "victim", "channel": channel, "contact": VICTIM[channel]}
        assert Api().post("request-reset-code", body).status_code == 200
    assert len(queued()) == of_others + 1


def test_the_spelling_of_a_contact_gives_no_further_messages(db: None) -> None:
    answers = []
    for number, spelling in enumerate(["victim@b.cn", "VICTIM+1@b.cn", "victim+two@B.CN"]):
        user = User.objects.create_user(f"user{number}", spelling, PASSWORD)
        answers.append(ask(Api().tokens(user.username)["access_token"], Channel.EMAIL).status_code)
    assert answers == [200, 429, 429]


def test_other_contacts_are_not_limited_by_it(alice: User, head: User) -> None:
    answers = [ask(Api().tokens(name)["access_token"], Channel.EMAIL) for name in ("alice", "head")]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_refused_code_leaves_the_former_one_valid(alice: User, settings: Settings) -> None:
    token = Api().tokens()["access_token"]
    ask(token, Channel.EMAIL)
    code = last()["code"]
    Message.objects.all().delete()
    AttemptBudget.objects.filter(purpose="code:email:minute").delete()
    assert ask(token, Channel.EMAIL).status_code == 429
    assert Api().post("verify", {"channel": "email", "code": code}, token).status_code == 200


class TestResetCodes:
    FORM = {"identifier": "alice", "channel": "email", "contact": "alice@hospital.example"}

    def request(self, **changes: str) -> tuple[int, Any]:
        response = Api().post("request-reset-code", {**self.FORM, **changes})
        return response.status_code, response.json()

    def test_a_request_over_the_quota_is_answered_alike_and_sends_nothing(self, alice: User) -> None:
        ask(Api().tokens()["access_token"], Channel.EMAIL)
        assert self.request() == self.request(identifier="nobody") == (200, {"expires_in": 600})
        assert [kind for _channel, _contact, kind in queued()] == ["verification_code"]

    def test_the_trail_says_that_nothing_was_sent(self, alice: User) -> None:
        ask(Api().tokens()["access_token"], Channel.EMAIL)
        self.request()
        assert SecurityEvent.objects.latest("id").detail == {"purpose": "reset", "channel": "email", "sent": False}

    def test_a_code_that_was_not_sent_does_not_replace_the_former(self, alice: User) -> None:
        self.request()
        code = last()["code"]
        AttemptBudget.objects.filter(purpose="code:reset:minute").delete()
        self.request()
        assert len(queued()) == 1
        body = {**self.FORM, "code": code, "new_password": "Another-horse-8"}
        assert Api().post("reset-password", body).status_code == 204

    def test_requests_for_other_accounts_use_nothing_of_a_contacts_quota(self, alice: User) -> None:
        for number in range(12):
            self.request(identifier=f"nobody{number}")
        self.request()
        assert len(queued()) == 1


class TestNotices:
    def test_a_notice_over_the_quota_is_dropped(self, alice: User, head: User) -> None:
        token = Api().tokens("head")["access_token"]
        for number in range(3):
            body = {"email": f"new{number}@hospital.example"}
            assert Api().call("PATCH", f"/api/auth/users/{alice.pk}", body, token).status_code == 200
            Api().call("PATCH", f"/api/auth/users/{alice.pk}", {"email": "alice@hospital.example"}, token)
        assert [message for message in queued() if message[1] == "alice@hospital.example"] == [
            ("email", "alice@hospital.example", "email_changed")
        ]

    def test_many_password_changes_send_few_messages(self, alice: User) -> None:
        password = PASSWORD
        for number in range(8):
            new = f"Another-horse-{number}"
            body = {"email": alice.email, "old_password": password, "new_password": new}
            assert CLINIC.call("POST", "reset_password", body).status_code == 200
            password = new
        assert len(queued()) == 2


class TestUnchangedPassword:
    def counts(self) -> tuple[int, int, int]:
        """Return the numbers of messages, of ended sessions and of events of a changed password."""
        changed = SecurityEvent.objects.filter(event="password:changed")
        return Message.objects.count(), Session.objects.exclude(ended_at=None).count(), changed.count()

    def test_native_refuses_it(self, alice: User) -> None:
        token = NATIVE.log_in()
        answer = NATIVE.call("POST", "change-password", {"old_password": PASSWORD, "new_password": PASSWORD}, token)
        assert answer.status_code == 400
        assert [item["code"] for item in answer.json()["errors"]["new_password"]] == ["password_unchanged"]
        assert self.counts() == (0, 0, 0)

    @pytest.mark.parametrize("profile", ["documented", "hardened"])
    def test_hospital_refuses_it(self, alice: User, settings: Settings, profile: str) -> None:
        settings.PROFILE = profile
        token = HOSPITAL.log_in()
        answer = HOSPITAL.call("PUT", "profile", {"password": PASSWORD, "old_password": PASSWORD}, token)
        assert answer.status_code == 400
        assert self.counts() == (0, 0, 0)
        assert HOSPITAL.get_me(token).status_code == 200

    def test_hospital_refuses_it_without_the_current_password_too(self, alice: User) -> None:
        token = HOSPITAL.log_in()
        assert HOSPITAL.call("PUT", "profile", {"password": PASSWORD}, token).status_code == 400
        assert self.counts() == (0, 0, 0)

    @pytest.mark.parametrize("path", ["reset_password", "reset-password"])
    def test_clinic_answers_success_and_changes_nothing(self, alice: User, path: str) -> None:
        token = CLINIC.log_in()
        before = User.objects.values("password", "stamp").get()
        body = {"email": alice.email, "old_password": PASSWORD, "new_password": PASSWORD}
        assert CLINIC.call("POST", path, body).status_code == 200
        assert self.counts() == (0, 0, 0)
        assert User.objects.values("password", "stamp").get() == before
        assert CLINIC.get_me(token).status_code == 200
