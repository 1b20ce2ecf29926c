"""The loop that delivers, in a thread of its own."""

import logging
import threading
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection

from accounts.messaging import delivery
from accounts.messaging.delivery import Loop
from accounts.models import Message, State
from accounts.tests.messaging.conftest import Put

pytestmark = pytest.mark.django_db(transaction=True)


def state(message: Message) -> str:
    return Message.objects.values_list("state", flat=True).get(pk=message.pk)


class TestLoop:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delivery, "DELIVERY_POLL", timedelta(milliseconds=10))

    def run(self, loop: Loop) -> threading.Thread:
        thread = threading.Thread(target=loop.run)
        thread.start()
        return thread

    def stop(self, loop: Loop, thread: threading.Thread) -> None:
        loop.stop()
        thread.join(10)
        assert not thread.is_alive()

    def test_it_delivers_what_comes_until_it_is_stopped(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = threading.Semaphore(0)
        monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda letter: sent.release())
        loop = Loop()
        thread = self.run(loop)
        for _ in range(3):
            put()
            assert sent.acquire(timeout=10)
        self.stop(loop, thread)
        assert set(Message.objects.values_list("state", flat=True)) == {State.DELIVERED}

    def test_the_message_in_hand_is_finished(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, ended = threading.Event(), threading.Event()

        def slow(letter: object) -> None:
            begun.set()
            assert ended.wait(10)

        monkeypatch.setattr(delivery, "sender_for", lambda channel: slow)
        first, second = put(), put()
        loop = Loop()
        thread = self.run(loop)
        assert begun.wait(10)
        loop.stop()
        ended.set()
        self.stop(loop, thread)
        assert (state(first), state(second)) == (State.DELIVERED, State.QUEUED)

    def test_a_database_that_is_away_is_waited_for_with_one_line_in_the_log(
        self, put: Put, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        sent, claim, failures = threading.Event(), delivery._claim, iter(range(3))
        monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda letter: sent.set())

        def away(due_by: datetime) -> Message | None:
            if next(failures, None) is None:
                return claim(due_by)
            raise OperationalError("the server has gone away")

        monkeypatch.setattr(delivery, "_claim", away)
        put()
        loop = Loop()
        thread = self.run(loop)
        assert sent.wait(10)
        self.stop(loop, thread)
        lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert lines == ["delivery is held up: the server has gone away"]

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no connection to lose.")
    def test_a_connection_that_was_cut_is_made_anew(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = threading.Semaphore(0)
        monkeypatch.setattr(delivery, "sender_for", lambda channel: lambda letter: sent.release())
        loop = Loop()
        thread = self.run(loop)
        put()
        assert sent.acquire(timeout=10)
        assert cut_other_connections() == 1
        put()
        assert sent.acquire(timeout=10)
        self.stop(loop, thread)


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
