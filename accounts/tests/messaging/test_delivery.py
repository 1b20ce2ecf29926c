import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.messaging import delivery, rendering
from accounts.messaging.delivery import deliver_due, deliver_next, expire_messages
from accounts.messaging.senders import Refused
from accounts.models import Channel, Kind, Message, State
from accounts.policies import DELIVERY_LEASE, retry_after
from accounts.security import encryption
from accounts.tests.messaging.conftest import CODE, Put
from accounts.tests.messaging.gateways import CLOSES, SILENT, HttpGateway, MailServer
from accounts.tests.races import race
from accounts.tests.tools import later

pytestmark = pytest.mark.django_db

LEASE = DELIVERY_LEASE.total_seconds()


def again(message: Message) -> Message:
    message.refresh_from_db()
    return message


class TestDelivered:
    def test_an_email_is_delivered_and_its_text_wiped(self, mail_at: MailServer, put: Put) -> None:
        message = put()
        assert deliver_next() == State.DELIVERED
        assert [received["To"] for received in mail_at.received] == ["alice@hospital.example"]
        again(message)
        assert (message.state, message.encrypted, message.error, message.attempts) == (State.DELIVERED, "", "", 1)
        assert message.delivered_at

    def test_a_text_message_is_delivered_and_its_text_wiped(self, gateway: HttpGateway, put: Put) -> None:
        message = put(channel=Channel.PHONE)
        assert deliver_next() == State.DELIVERED
        assert CODE in gateway.json()[0]["message"]
        assert (again(message).state, message.encrypted) == (State.DELIVERED, "")

    def test_it_is_delivered_once(self, mail_at: MailServer, put: Put) -> None:
        put()
        assert [deliver_next(), deliver_next()] == [State.DELIVERED, None]

    def test_the_oldest_comes_first(self, gateway: HttpGateway, put: Put) -> None:
        for code in ("111111", "222222", "333333"):
            put(channel=Channel.PHONE, code=code)
        deliver_due()
        assert [body["message"][16:22] for body in gateway.json()] == ["111111", "222222", "333333"]

    def test_a_line_in_the_log_names_it_and_tells_nothing(
        self, mail_at: MailServer, put: Put, caplog: pytest.LogCaptureFixture
    ) -> None:
        message = put()
        with caplog.at_level(logging.INFO):
            deliver_next()
        lines = [record.getMessage() for record in caplog.records if record.name == delivery.__name__]
        assert lines == [f"message {message.pk}, reset_code by email to a***@hospital.example: delivered."]


class TestRefused:
    @pytest.fixture
    def refused(self, gateway: HttpGateway, put: Put) -> Message:
        gateway.status = 503
        message = put(channel=Channel.PHONE)
        assert deliver_next() == State.QUEUED
        return again(message)

    def test_it_waits_and_says_why(self, refused: Message) -> None:
        assert (refused.state, refused.error, refused.attempts) == (State.QUEUED, "The gateway answered 503.", 1)
        assert deliver_next() is None

    def test_it_is_tried_again_after_five_seconds(self, refused: Message, gateway: HttpGateway) -> None:
        gateway.status = 200
        with later(seconds=5):
            assert deliver_next() == State.DELIVERED
        assert (again(refused).error, refused.attempts) == ("", 2)

    def test_each_wait_is_twice_as_long_up_to_two_minutes(self) -> None:
        waits = [retry_after(attempts).total_seconds() for attempts in range(1, 8)]
        assert waits == [5, 10, 20, 40, 80, 120, 120]
        assert retry_after(30_000) == timedelta(minutes=2)

    def test_when_it_expires_it_is_dead_and_says_what_was_wrong(self, refused: Message) -> None:
        with later(minutes=10):
            assert expire_messages() == {State.DEAD: 1}
        assert (again(refused).state, refused.encrypted) == (State.DEAD, "")
        assert refused.error == "The gateway answered 503."

    def test_the_line_in_the_log_says_why(
        self, gateway: HttpGateway, put: Put, caplog: pytest.LogCaptureFixture
    ) -> None:
        gateway.status = 503
        message = put(channel=Channel.PHONE)
        deliver_next()
        assert (
            f"message {message.pk}, reset_code by phone to 138****8000: queued. The gateway answered 503."
            in caplog.text
        )
        assert CODE not in caplog.text

    def test_without_a_gateway_it_dies_at_its_expiry(self, settings: Settings, put: Put) -> None:
        settings.EMAIL_URL = ""
        message = put()
        assert deliver_next() == State.QUEUED
        with later(minutes=10):
            assert deliver_due() == {State.DEAD: 1}
        assert (again(message).error, message.encrypted) == ("EMAIL_URL is not set.", "")

    def test_what_can_never_be_sent_is_dead_at_once(self, settings: Settings, put: Put) -> None:
        settings.SMS_URL = "aliyun://LTAI:secret@dysmsapi.aliyuncs.com/?sign=a&code=SMS_1"
        message = put(channel=Channel.PHONE, kind=Kind.PASSWORD_CHANGED, ip="192.0.2.1")
        assert deliver_next() == State.DEAD
        assert (again(message).encrypted, message.error) == (
            "",
            "SMS_URL names no template for notices (&notice=…), and Aliyun takes no other text.",
        )

    def test_one_that_cannot_be_read_waits_for_the_former_secret_key(
        self, mail_at: MailServer, settings: Settings, put: Put
    ) -> None:
        message, key = put(), settings.SECRET_KEY
        settings.SECRET_KEY = "another"
        assert deliver_next() == State.QUEUED
        assert again(message).error == "It failed with DecryptionError."
        settings.SECRET_KEY = key
        with later(seconds=5):
            assert deliver_next() == State.DELIVERED

    def test_delivering_what_is_due_tries_each_once(
        self, gateway: HttpGateway, put: Put, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivery, "retry_after", lambda attempts: timedelta(0))
        gateway.status = 503
        put(channel=Channel.PHONE)
        assert deliver_due() == {State.QUEUED: 1}

    def test_a_very_long_reason_is_cut(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(letter: object) -> None:
            raise Refused("x" * 1000)

        monkeypatch.setattr(delivery, "sender_for", lambda channel: refuse)
        message = put()
        assert deliver_next() == State.QUEUED
        assert again(message).error == "x" * 200


class TestUnknown:
    @pytest.fixture(params=[SILENT, CLOSES])
    def unknown(self, request: pytest.FixtureRequest, gateway: HttpGateway, put: Put) -> Message:
        gateway.status = request.param
        message = put(channel=Channel.PHONE)
        assert deliver_next() == State.UNKNOWN
        return again(message)

    def test_it_is_not_sent_again(self, unknown: Message, gateway: HttpGateway) -> None:
        with later(minutes=9):
            assert deliver_due() == {}
        assert len(gateway.received) == 1

    def test_it_says_so(self, unknown: Message) -> None:
        assert unknown.error.startswith("The gateway had the text and gave no answer")

    def test_its_text_is_wiped_when_it_expires(self, unknown: Message) -> None:
        assert encryption.decrypt("messages", unknown.encrypted)
        with later(minutes=10):
            expire_messages()
        assert (again(unknown).state, unknown.encrypted) == (State.UNKNOWN, "")

    @pytest.mark.parametrize("behaviour", [SILENT, CLOSES])
    def test_a_mail_server_that_gives_no_answer_leaves_it_unknown(
        self, mail_at: MailServer, put: Put, behaviour: str
    ) -> None:
        mail_at.to_text = behaviour
        put()
        assert deliver_next() == State.UNKNOWN

    def test_an_error_that_nobody_foresaw_leaves_it_unknown_without_its_words(
        self, monkeypatch: pytest.MonkeyPatch, put: Put
    ) -> None:
        def broken(letter: object) -> None:
            raise RuntimeError(CODE)

        monkeypatch.setattr(delivery, "sender_for", lambda channel: broken)
        message = put()
        assert deliver_next() == State.UNKNOWN
        assert again(message).error == "It failed with RuntimeError."


class TestExpired:
    def test_nothing_is_sent_after_its_expiry(self, mail_at: MailServer, put: Put) -> None:
        message = put()
        with later(minutes=10):
            assert deliver_due() == {State.DEAD: 1}
        assert mail_at.received == []
        assert (again(message).encrypted, message.error) == ("", "It expired before it could be sent.")

    def test_one_that_expires_in_hand_is_not_sent(
        self, mail_at: MailServer, put: Put, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message, compose = put(), rendering.compose

        def slow(claimed: Message) -> Any:
            Message.objects.update(expires_at=timezone.now())
            return compose(claimed)

        monkeypatch.setattr(rendering, "compose", slow)
        assert deliver_next() == State.DEAD
        assert mail_at.received == []
        assert again(message).encrypted == ""

    def test_one_that_is_being_sent_when_it_expires_is_not_given_up(
        self, mail_at: MailServer, put: Put, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message, move = put(), delivery._move

        def after_the_worker(read: Message, state: State, *conditions: Any, **columns: Any) -> bool:
            # The worker goes on between the keeper's look and its write.
            Message.objects.update(state=State.SENDING)
            return move(read, state, *conditions, **columns)

        assert delivery._claim(timezone.now()) == message
        monkeypatch.setattr(delivery, "_move", after_the_worker)
        with later(minutes=10):
            assert expire_messages() == {State.DEAD: 0}
        assert again(message).state == State.SENDING


class TestDeadWorker:
    def test_what_it_had_claimed_is_sent_by_another_after_the_lease(self, mail_at: MailServer, put: Put) -> None:
        message = put()
        assert delivery._claim(timezone.now()) == message
        assert deliver_next() is None
        with later(seconds=LEASE):
            assert deliver_next() == State.DELIVERED
        assert again(message).attempts == 2

    def test_what_it_was_sending_is_unknown_after_the_lease(self, mail_at: MailServer, put: Put) -> None:
        message = put()
        self.die_sending(message)
        with later(seconds=LEASE - 1):
            assert deliver_due() == {}
        with later(seconds=LEASE):
            assert deliver_due() == {State.UNKNOWN: 1}
        assert mail_at.received == []
        assert again(message).error == "The worker that was sending it went away."

    def test_one_that_was_only_slow_still_says_what_became_of_it(
        self, mail_at: MailServer, put: Put, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = put()

        def slow(letter: object) -> None:
            with later(seconds=LEASE):
                expire_messages()
            assert again(message).state == State.UNKNOWN

        monkeypatch.setattr(delivery, "sender_for", lambda channel: slow)
        assert deliver_next() == State.DELIVERED
        assert (again(message).state, message.encrypted) == (State.DELIVERED, "")

    def test_one_that_was_only_slow_to_begin_does_not_send_what_another_has_taken(
        self, mail_at: MailServer, put: Put
    ) -> None:
        put()
        slow = delivery._claim(timezone.now())
        assert slow
        with later(seconds=LEASE):
            assert deliver_next() == State.DELIVERED
        assert delivery._attempt(slow) == State.DELIVERED
        assert len(mail_at.received) == 1

    def die_sending(self, message: Message) -> None:
        assert delivery._claim(timezone.now()) == message
        Message.objects.update(state=State.SENDING)


def test_no_state_is_left_without_a_way_on() -> None:
    assert {State.QUEUED, State.CLAIMED, State.SENDING, State.UNKNOWN} <= {
        before for state in delivery._BEFORE for before in delivery._BEFORE[state]
    }


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
def test_two_loops_at_once_send_nothing_twice_and_lose_nothing(gateway: HttpGateway, put: Put) -> None:
    for repeat in range(20):
        gateway.received.clear()
        codes = [f"{repeat:02}{number:04}" for number in range(6)]
        for code in codes:
            put(channel=Channel.PHONE, code=code)
        outcomes = race(2, lambda _: deliver_due())
        sent = sorted(body["message"][16:22] for body in gateway.json())
        assert (sent, sum(outcome[State.DELIVERED] for outcome in outcomes)) == (codes, 6)
    assert set(Message.objects.values_list("state", "attempts", "encrypted")) == {(State.DELIVERED, 1, "")}


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
def test_one_message_in_two_loops_hands_is_sent_once(
    gateway: HttpGateway, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both have read that it is due before either takes it.
    monkeypatch.setattr(delivery, "_BATCH", 1)
    for _ in range(20):
        put(channel=Channel.PHONE)
        gateway.received.clear()
        outcomes = race(2, lambda _: deliver_next())
        assert sorted(outcomes, key=str) == [None, State.DELIVERED]
        assert len(gateway.received) == 1
