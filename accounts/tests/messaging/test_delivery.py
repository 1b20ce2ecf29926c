import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.messaging import delivery, rendering
from accounts.messaging.delivery import deliver_due, deliver_next, expire_messages
from accounts.messaging.senders import DeliveryRefused
from accounts.models import Channel, Kind, Message, State
from accounts.policies import DELIVERY_LEASE, retry_after
from accounts.security import encryption
from accounts.tests.messaging.conftest import CODE, Enqueue
from accounts.tests.messaging.stub_servers import CLOSES, SILENT, HttpGateway, MailServer
from accounts.tests.races import ROUNDS, race
from accounts.tests.tools import later

pytestmark = pytest.mark.django_db

LEASE = DELIVERY_LEASE.total_seconds()


def refreshed(message: Message) -> Message:
    message.refresh_from_db()
    return message


class TestDelivered:
    def test_an_email_is_delivered_and_its_values_are_blanked(self, mail_at: MailServer, enqueue: Enqueue) -> None:
        message = enqueue()
        assert deliver_next() == State.DELIVERED
        assert [received["To"] for received in mail_at.received] == ["alice@hospital.example"]
        refreshed(message)
        assert (message.state, message.encrypted, message.error, message.attempts) == (State.DELIVERED, "", "", 1)
        assert message.delivered_at

    def test_a_text_message_is_delivered_and_its_values_are_blanked(
        self, gateway: HttpGateway, enqueue: Enqueue
    ) -> None:
        message = enqueue(channel=Channel.PHONE)
        assert deliver_next() == State.DELIVERED
        assert CODE in gateway.json()[0]["message"]
        assert (refreshed(message).state, message.encrypted) == (State.DELIVERED, "")

    def test_it_is_delivered_once(self, mail_at: MailServer, enqueue: Enqueue) -> None:
        enqueue()
        assert [deliver_next(), deliver_next()] == [State.DELIVERED, None]

    def test_the_oldest_message_is_delivered_first(self, gateway: HttpGateway, enqueue: Enqueue) -> None:
        for code in ("111111", "222222", "333333"):
            enqueue(channel=Channel.PHONE, code=code)
        deliver_due()
        assert [body["message"][16:22] for body in gateway.json()] == ["111111", "222222", "333333"]

    def test_the_log_line_names_the_message_without_its_text(
        self, mail_at: MailServer, enqueue: Enqueue, caplog: pytest.LogCaptureFixture
    ) -> None:
        message = enqueue()
        with caplog.at_level(logging.INFO):
            deliver_next()
        lines = [record.getMessage() for record in caplog.records if record.name == delivery.__name__]
        assert lines == [f"message {message.pk}, reset_code by email to a***@hospital.example: delivered."]


class TestRefused:
    @pytest.fixture
    def refused(self, gateway: HttpGateway, enqueue: Enqueue) -> Message:
        gateway.status = 503
        message = enqueue(channel=Channel.PHONE)
        assert deliver_next() == State.QUEUED
        return refreshed(message)

    def test_it_is_queued_again_with_the_error(self, refused: Message) -> None:
        assert (refused.state, refused.error, refused.attempts) == (State.QUEUED, "The gateway answered 503.", 1)
        assert deliver_next() is None

    def test_it_is_tried_again_after_five_seconds(self, refused: Message, gateway: HttpGateway) -> None:
        gateway.status = 200
        with later(seconds=5):
            assert deliver_next() == State.DELIVERED
        assert (refreshed(refused).error, refused.attempts) == ("", 2)

    def test_each_wait_is_twice_as_long_up_to_two_minutes(self) -> None:
        waits = [retry_after(attempts).total_seconds() for attempts in range(1, 8)]
        assert waits == [5, 10, 20, 40, 80, 120, 120]
        assert retry_after(30_000) == timedelta(minutes=2)

    def test_an_expired_message_is_dead_and_keeps_its_last_error(self, refused: Message) -> None:
        with later(minutes=10):
            assert expire_messages() == {State.DEAD: 1}
        assert (refreshed(refused).state, refused.encrypted) == (State.DEAD, "")
        assert refused.error == "The gateway answered 503."

    def test_the_log_line_has_the_error(
        self, gateway: HttpGateway, enqueue: Enqueue, caplog: pytest.LogCaptureFixture
    ) -> None:
        gateway.status = 503
        message = enqueue(channel=Channel.PHONE)
        deliver_next()
        assert (
            f"message {message.pk}, reset_code by phone to 138****8000: queued. The gateway answered 503."
            in caplog.text
        )
        assert CODE not in caplog.text

    def test_without_a_gateway_it_is_dead_once_it_expires(self, settings: Settings, enqueue: Enqueue) -> None:
        settings.EMAIL_URL = ""
        message = enqueue()
        assert deliver_next() == State.QUEUED
        with later(minutes=10):
            assert deliver_due() == {State.DEAD: 1}
        assert (refreshed(message).error, message.encrypted) == ("EMAIL_URL is not set.", "")

    def test_an_undeliverable_message_is_dead_at_once(self, settings: Settings, enqueue: Enqueue) -> None:
        settings.SMS_URL = "aliyun://LTAI:secret@dysmsapi.aliyuncs.com/?sign=a&code=SMS_1"
        message = enqueue(channel=Channel.PHONE, kind=Kind.PASSWORD_CHANGED, ip="192.0.2.1")
        assert deliver_next() == State.DEAD
        assert (refreshed(message).encrypted, message.error) == (
            "",
            "SMS_URL has no template for notices (&notice=…), which Aliyun requires.",
        )

    def test_a_message_that_cannot_be_decrypted_is_retried(
        self, mail_at: MailServer, settings: Settings, enqueue: Enqueue
    ) -> None:
        message, key = enqueue(), settings.SECRET_KEY
        settings.SECRET_KEY = "another"
        assert deliver_next() == State.QUEUED
        assert refreshed(message).error == "Delivery failed with DecryptionError."
        settings.SECRET_KEY = key
        with later(seconds=5):
            assert deliver_next() == State.DELIVERED

    def test_deliver_due_attempts_each_message_once(
        self, gateway: HttpGateway, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivery, "retry_after", lambda attempts: timedelta(0))
        gateway.status = 503
        enqueue(channel=Channel.PHONE)
        assert deliver_due() == {State.QUEUED: 1}

    def test_a_long_error_is_truncated(self, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(rendered: object) -> None:
            raise DeliveryRefused("x" * 1000)

        monkeypatch.setattr(delivery, "sender_for", lambda channel: refuse)
        message = enqueue()
        assert deliver_next() == State.QUEUED
        assert refreshed(message).error == "x" * 200


class TestUnknown:
    @pytest.fixture(params=[SILENT, CLOSES])
    def unknown(self, request: pytest.FixtureRequest, gateway: HttpGateway, enqueue: Enqueue) -> Message:
        gateway.status = request.param
        message = enqueue(channel=Channel.PHONE)
        assert deliver_next() == State.UNKNOWN
        return refreshed(message)

    def test_it_is_not_sent_refreshed(self, unknown: Message, gateway: HttpGateway) -> None:
        with later(minutes=9):
            assert deliver_due() == {}
        assert len(gateway.received) == 1

    def test_it_has_the_error(self, unknown: Message) -> None:
        assert unknown.error.startswith("The gateway received the message and did not answer")

    def test_its_values_are_blanked_when_it_expires(self, unknown: Message) -> None:
        assert encryption.decrypt("messages", unknown.encrypted)
        with later(minutes=10):
            expire_messages()
        assert (refreshed(unknown).state, unknown.encrypted) == (State.UNKNOWN, "")

    @pytest.mark.parametrize("behaviour", [SILENT, CLOSES])
    def test_a_mail_server_that_gives_no_answer_leaves_it_unknown(
        self, mail_at: MailServer, enqueue: Enqueue, behaviour: str
    ) -> None:
        mail_at.to_text = behaviour
        enqueue()
        assert deliver_next() == State.UNKNOWN

    def test_an_unexpected_error_leaves_it_unknown_without_the_errors_text(
        self, monkeypatch: pytest.MonkeyPatch, enqueue: Enqueue
    ) -> None:
        def broken(rendered: object) -> None:
            raise RuntimeError(CODE)

        monkeypatch.setattr(delivery, "sender_for", lambda channel: broken)
        message = enqueue()
        assert deliver_next() == State.UNKNOWN
        assert refreshed(message).error == "Delivery failed with RuntimeError."


class TestExpired:
    def test_nothing_is_sent_after_its_expiry(self, mail_at: MailServer, enqueue: Enqueue) -> None:
        message = enqueue()
        with later(minutes=10):
            assert deliver_due() == {State.DEAD: 1}
        assert mail_at.received == []
        assert (refreshed(message).encrypted, message.error) == ("", "The message expired before it was sent.")

    def test_a_message_that_expires_after_the_claim_is_not_sent(
        self, mail_at: MailServer, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message, render = enqueue(), rendering.render

        def slow(claimed: Message) -> Any:
            Message.objects.update(expires_at=timezone.now())
            return render(claimed)

        monkeypatch.setattr(rendering, "render", slow)
        assert deliver_next() == State.DEAD
        assert mail_at.received == []
        assert refreshed(message).encrypted == ""

    def test_a_message_that_expires_while_being_sent_is_not_marked_dead(
        self, mail_at: MailServer, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message, move = enqueue(), delivery._move

        def after_the_worker(read: Message, state: State, *conditions: Any, **columns: Any) -> bool:
            # The worker continues between the read and the write of the expiry.
            Message.objects.update(state=State.SENDING)
            return move(read, state, *conditions, **columns)

        assert delivery._claim(timezone.now()) == message
        monkeypatch.setattr(delivery, "_move", after_the_worker)
        with later(minutes=10):
            assert expire_messages() == {State.DEAD: 0}
        assert refreshed(message).state == State.SENDING


class TestStoppedWorker:
    def test_a_claimed_message_is_sent_by_another_worker_after_the_lease(
        self, mail_at: MailServer, enqueue: Enqueue
    ) -> None:
        message = enqueue()
        assert delivery._claim(timezone.now()) == message
        assert deliver_next() is None
        with later(seconds=LEASE):
            assert deliver_next() == State.DELIVERED
        assert refreshed(message).attempts == 2

    def test_a_message_being_sent_is_unknown_after_the_lease(self, mail_at: MailServer, enqueue: Enqueue) -> None:
        message = enqueue()
        self.stop_while_sending(message)
        with later(seconds=LEASE - 1):
            assert deliver_due() == {}
        with later(seconds=LEASE):
            assert deliver_due() == {State.UNKNOWN: 1}
        assert mail_at.received == []
        assert refreshed(message).error == "The worker stopped while it was sending the message."

    def test_a_slow_worker_still_reports_its_result(
        self, mail_at: MailServer, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = enqueue()

        def slow(rendered: object) -> None:
            with later(seconds=LEASE):
                expire_messages()
            assert refreshed(message).state == State.UNKNOWN

        monkeypatch.setattr(delivery, "sender_for", lambda channel: slow)
        assert deliver_next() == State.DELIVERED
        assert (refreshed(message).state, message.encrypted) == (State.DELIVERED, "")

    def test_a_slow_worker_does_not_send_what_another_has_claimed(self, mail_at: MailServer, enqueue: Enqueue) -> None:
        enqueue()
        slow = delivery._claim(timezone.now())
        assert slow
        with later(seconds=LEASE):
            assert deliver_next() == State.DELIVERED
        assert delivery._deliver(slow) == State.DELIVERED
        assert len(mail_at.received) == 1

    def stop_while_sending(self, message: Message) -> None:
        assert delivery._claim(timezone.now()) == message
        Message.objects.update(state=State.SENDING)


def test_every_intermediate_state_has_a_successor() -> None:
    assert {State.QUEUED, State.CLAIMED, State.SENDING, State.UNKNOWN} <= {
        before for state in delivery._PREVIOUS_STATES for before in delivery._PREVIOUS_STATES[state]
    }


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once(gateway: HttpGateway, enqueue: Enqueue) -> None:
    for repeat in range(ROUNDS):
        gateway.received.clear()
        codes = [f"{repeat:02}{number:04}" for number in range(6)]
        for code in codes:
            enqueue(channel=Channel.PHONE, code=code)
        outcomes = race(2, lambda _: deliver_due())
        sent = sorted(body["message"][16:22] for body in gateway.json())
        assert (sent, sum(outcome[State.DELIVERED] for outcome in outcomes)) == (codes, 6)
    assert set(Message.objects.values_list("state", "attempts", "encrypted")) == {(State.DELIVERED, 1, "")}


@pytest.mark.django_db(transaction=True)
def test_one_message_read_by_two_workers_is_sent_once(
    gateway: HttpGateway, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both have read that the message is due before either claims it.
    monkeypatch.setattr(delivery, "_BATCH", 1)
    for _ in range(ROUNDS):
        enqueue(channel=Channel.PHONE)
        gateway.received.clear()
        outcomes = race(2, lambda _: deliver_next())
        assert sorted(outcomes, key=str) == [None, State.DELIVERED]
        assert len(gateway.received) == 1


def test_codes_are_delivered_before_notices_that_are_older(gateway: HttpGateway, enqueue: Enqueue) -> None:
    enqueue(channel=Channel.PHONE, kind=Kind.PASSWORD_CHANGED, ip="192.0.2.1")
    enqueue(channel=Channel.PHONE, kind=Kind.EMAIL_CHANGED, old="a@b.cn", new="c@d.cn")
    enqueue(channel=Channel.PHONE, kind=Kind.VERIFICATION_CODE, code="222222")
    enqueue(channel=Channel.PHONE, kind=Kind.RESET_CODE, code="333333")
    deliver_due()
    texts = [body["message"] for body in gateway.json()]
    assert ["222222" in texts[0], "333333" in texts[1], len(texts)] == [True, True, 4]


def test_a_queued_text_message_to_a_number_that_receives_none_any_more_is_not_sent(
    gateway: HttpGateway, enqueue: Enqueue, settings: Settings
) -> None:
    message = enqueue(channel=Channel.PHONE)
    settings.SMS_REGIONS = ("HK",)
    assert deliver_next() == State.DEAD
    assert (gateway.json(), refreshed(message).encrypted) == ([], "")
