import io
import threading
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.messaging import delivery
from accounts.models import Channel, Message, State
from accounts.tests.messaging.conftest import Put
from accounts.tests.messaging.gateways import HttpGateway, MailServer
from authsvc.management.commands import quickstart


def deliver_once() -> str:
    out = io.StringIO()
    call_command("deliver", "--once", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestOnce:
    def test_it_says_what_became_of_how_many(self, mail_at: MailServer, gateway: HttpGateway, put: Put) -> None:
        gateway.status = 500
        put()
        put()
        put(channel=Channel.PHONE)
        assert deliver_once() == "2 delivered, 1 queued\n"

    def test_with_nothing_due_it_says_so(self) -> None:
        assert deliver_once() == "nothing was due\n"


@pytest.mark.django_db(transaction=True)
def test_quickstart_delivers_while_it_serves(put: Put, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    sent, loops = threading.Event(), []

    class Watched(delivery.Loop):
        def __init__(self) -> None:
            super().__init__()
            loops.append(self)

    def serve(command: str, *args: Any, **options: Any) -> None:
        if command == "runserver":
            put()
            assert sent.wait(10)
            loops[0].stop()

    monkeypatch.setattr(quickstart, "Loop", Watched)
    monkeypatch.setattr(quickstart, "call_command", serve)
    monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda letter: sent.set())
    before = set(threading.enumerate())
    call_command("quickstart", stdout=io.StringIO())
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert Message.objects.get().state == State.DELIVERED
