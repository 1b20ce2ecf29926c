import io
import threading
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.messaging import delivery
from accounts.models import Channel, Message, State
from accounts.tests.messaging.conftest import Enqueue
from accounts.tests.messaging.stub_servers import HttpGateway, MailServer
from authsvc.management.commands import quickstart


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
