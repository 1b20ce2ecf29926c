"""The delivery worker, in a thread of its own."""

import logging
import threading
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection

from accounts.messaging import delivery
from accounts.messaging.delivery import DeliveryWorker
from accounts.models import Message, State
from accounts.tests.databases import unpooled
from accounts.tests.messaging.conftest import Enqueue

pytestmark = pytest.mark.django_db(transaction=True)


def state(message: Message) -> str:
    return Message.objects.values_list("state", flat=True).get(pk=message.pk)


class TestDeliveryWorker:
    @pytest.fixture(autouse=True)
    def _short_poll(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delivery, "DELIVERY_POLL", timedelta(milliseconds=10))

    def run(self, worker: DeliveryWorker) -> threading.Thread:
        thread = threading.Thread(target=worker.run)
        thread.start()
        return thread

    def stop(self, worker: DeliveryWorker, thread: threading.Thread) -> None:
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()

    def test_it_delivers_new_messages_until_it_is_stopped(
        self, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent = threading.Semaphore(0)
        monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda rendered: sent.release())
        worker = DeliveryWorker()
        thread = self.run(worker)
        for _ in range(3):
            enqueue()
            assert sent.acquire(timeout=10)
        self.stop(worker, thread)
        assert set(Message.objects.values_list("state", flat=True)) == {State.DELIVERED}

    def test_it_finishes_the_current_message_when_stopped(
        self, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, ended = threading.Event(), threading.Event()

        def slow(rendered: object) -> None:
            begun.set()
            assert ended.wait(10)

        monkeypatch.setattr(delivery, "sender_for", lambda channel: slow)
        first, second = enqueue(), enqueue()
        worker = DeliveryWorker()
        thread = self.run(worker)
        assert begun.wait(10)
        worker.stop()
        ended.set()
        self.stop(worker, thread)
        assert (state(first), state(second)) == (State.DELIVERED, State.QUEUED)

    def test_an_unavailable_database_is_retried_and_logged_once(
        self, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        sent, claim, failures = threading.Event(), delivery._claim, iter(range(3))
        monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda rendered: sent.set())

        def away(due_by: datetime) -> Message | None:
            if next(failures, None) is None:
                return claim(due_by)
            raise OperationalError("the server has gone away")

        monkeypatch.setattr(delivery, "_claim", away)
        enqueue()
        worker = DeliveryWorker()
        thread = self.run(worker)
        assert sent.wait(10)
        self.stop(worker, thread)
        lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert lines == ["delivery failed and will be retried: the server has gone away"]

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no connection to lose.")
    def test_a_lost_connection_is_reopened(self, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = threading.Semaphore(0)
        monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda rendered: sent.release())
        worker = DeliveryWorker()
        with unpooled():
            thread = self.run(worker)
            enqueue()
            assert sent.acquire(timeout=10)
            assert cut_other_connections() >= 1
            enqueue()
            assert sent.acquire(timeout=10)
            self.stop(worker, thread)


def cut_other_connections() -> int:
    """End every connection to this database but our own, as a server that restarts does; return how many."""
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        else:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
            )
        others = [row[0] for row in cursor.fetchall()]
        for other in others:
            cursor.execute("SELECT pg_terminate_backend(%s)" if postgresql else "KILL %s", [other])
    return len(others)
