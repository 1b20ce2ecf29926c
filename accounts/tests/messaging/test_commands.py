import io
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.messaging import delivery, heartbeat
from accounts.messaging.delivery import DeliveryWorker
from accounts.models import Channel, Heartbeat, Message, State
from accounts.policies import DELIVERY_SILENCE
from accounts.tests.messaging.conftest import Enqueue
from accounts.tests.messaging.stub_servers import HttpGateway, MailServer
from authsvc.management.commands import quickstart

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def deliver_once() -> str:
    out = io.StringIO()
    call_command("deliver", "--once", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestOnce:
    def test_it_prints_the_number_of_messages_by_state(
        self, mail_at: MailServer, gateway: HttpGateway, enqueue: Enqueue
    ) -> None:
        gateway.status = 500
        enqueue()
        enqueue()
        enqueue(channel=Channel.PHONE)
        assert deliver_once() == "2 delivered, 1 queued\n"

    def test_it_prints_that_nothing_was_due(self) -> None:
        assert deliver_once() == "nothing was due\n"


@pytest.mark.django_db(transaction=True)
def test_quickstart_delivers_while_it_serves(
    enqueue: Enqueue, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    sent, workers = threading.Event(), []

    class Watched(delivery.DeliveryWorker):
        def __init__(self) -> None:
            super().__init__()
            workers.append(self)

    def serve(command: str, *args: Any, **options: Any) -> None:
        if command == "runserver":
            enqueue()
            assert sent.wait(10)
            workers[0].stop()

    monkeypatch.setattr(quickstart, "DeliveryWorker", Watched)
    monkeypatch.setattr(quickstart, "call_command", serve)
    # Its thread does not end.
    monkeypatch.setattr(quickstart, "purge_daily", lambda: None)
    monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda rendered: sent.set())
    before = set(threading.enumerate())
    call_command("quickstart", stdout=io.StringIO())
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert Message.objects.get().state == State.DELIVERED


@pytest.mark.django_db
class TestCheck:
    def check(self) -> str:
        out = io.StringIO()
        call_command("deliver", "--check", stdout=out)
        return out.getvalue()

    def test_a_worker_that_was_seen_passes(self, enqueue: Enqueue) -> None:
        with time_machine.travel(NOON, tick=False) as now:
            heartbeat.beat()
            enqueue()
            now.shift(DELIVERY_SILENCE)
            assert self.check() == "worker seen 240 s ago, 1 messages wait, the oldest for 240 s\n"

    def test_a_worker_that_is_gone_fails(self) -> None:
        with time_machine.travel(NOON, tick=False) as now:
            heartbeat.beat()
            now.shift(DELIVERY_SILENCE + timedelta(seconds=1))
            with pytest.raises(CommandError, match=r"^worker seen 241 s ago, 0 messages wait, the oldest for 0 s$"):
                self.check()

    def test_a_worker_that_was_never_seen_fails(self) -> None:
        with pytest.raises(CommandError, match=r"^worker never seen, "):
            self.check()

    def test_a_delivery_is_a_heartbeat_and_there_is_one_row(self) -> None:
        deliver_once()
        with time_machine.travel(NOON, tick=False) as now:
            now.shift(timedelta(hours=1))
            DeliveryWorker()._deliver_one()
            assert list(Heartbeat.objects.values_list("name", "at")) == [("deliver", timezone.now())]
