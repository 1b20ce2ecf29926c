"""The loop that delivers what the outbox holds, and the states that a message goes through.

    queued ─▶ claimed ─▶ sending ─▶ delivered
       ▲ └─────┼────────────┤
       └───────┴─ refused ──┤   tried again later, until it expires: then dead
                            └─▶ unknown: the gateway had it and gave no answer, or the worker went; never repeated

Every step is one UPDATE that names the state and the attempt it goes on from, so that of any number of loops one takes
it. A text is blanked once it is delivered or expired.

This is our own code because the task queues and mail outboxes for Django keep what they are given in clear, and know no
end between done and failed: they would repeat a message that may have arrived.
"""

import logging
import time
from collections import Counter
from datetime import datetime
from typing import Any

from django.db import Error, close_old_connections, connections
from django.db.models import F, Q
from django.utils import timezone

from accounts import names
from accounts.messaging import rendering
from accounts.messaging.senders import DeliveryUnknown, Refused, Undeliverable, sender_for
from accounts.models import Message, State
from accounts.models.message import ERROR_LENGTH
from accounts.policies import DELIVERY_LEASE, DELIVERY_POLL, HOUSEKEEPING_INTERVAL, retry_after

logger = logging.getLogger(__name__)

_BATCH = 20
_EXPIRED = "It expired before it could be sent."
_WORKER_WENT = "The worker that was sending it went away."
# What a state is reached from. The sender's word also stands where its worker was taken for gone.
_BEFORE = {
    State.SENDING: (State.CLAIMED,),
    State.DELIVERED: (State.SENDING, State.UNKNOWN),
    State.QUEUED: (State.CLAIMED, State.SENDING, State.UNKNOWN),
    State.UNKNOWN: (State.SENDING,),
    State.DEAD: (State.QUEUED, State.CLAIMED, State.SENDING, State.UNKNOWN),
}


class Loop:
    """Delivers until it is told to stop; any number of loops may run at once, in any number of processes."""

    def __init__(self) -> None:
        self._stopping = False
        self._next_housekeeping = timezone.now()

    def stop(self) -> None:
        """Have `run` return after the message in hand; without a lock, because a signal's handler calls it."""
        self._stopping = True

    def run(self) -> None:
        """Deliver what is due, and wait for more; a database that is away is waited for."""
        try:
            self._go_on()
        finally:
            connections.close_all()

    def _go_on(self) -> None:
        troubled = False
        while not self._stopping:
            try:
                close_old_connections()
                found = self._step()
                troubled = False
            except Exception as error:
                found = False
                if not troubled:
                    logger.error("delivery is held up: %s", error if isinstance(error, Error) else type(error).__name__)
                troubled = True
            if not found:
                time.sleep(DELIVERY_POLL.total_seconds())

    def _step(self) -> bool:
        if timezone.now() >= self._next_housekeeping:
            expire_messages()
            self._next_housekeeping = timezone.now() + HOUSEKEEPING_INTERVAL
        return deliver_next() is not None


def deliver_due() -> Counter[State]:
    """Deliver all that is due by now, each message once, and return what became of how many."""
    outcomes, now = expire_messages(), timezone.now()
    while outcome := deliver_next(now):
        outcomes[outcome] += 1
    return outcomes


def deliver_next(due_by: datetime | None = None) -> State | None:
    """Deliver one message that is due and return the state that it is in then, or None if there was none."""
    message = _claim(due_by or timezone.now())
    return _attempt(message) if message else None


def expire_messages() -> Counter[State]:
    """Give up what has expired, blank its text, and find what a worker was sending when it went away."""
    now = timezone.now()
    ends = Counter[State]()
    for message in Message.objects.filter(state=State.SENDING, lease_until__lte=now):
        ends[State.UNKNOWN] += _move(message, State.UNKNOWN, error=_WORKER_WENT)
    waiting = Q(state__in=[State.QUEUED, State.CLAIMED])
    for message in Message.objects.filter(waiting, expires_at__lte=now):
        ends[State.DEAD] += _move(message, State.DEAD, waiting, error=message.error or _EXPIRED)
    open_ended = Message.objects.filter(state__in=[State.SENDING, State.UNKNOWN], expires_at__lte=now)
    # A row at a time, like every other write here: two loops that lock many rows at once could deadlock.
    for pk in open_ended.exclude(encrypted="").values_list("pk", flat=True):
        Message.objects.filter(pk=pk).update(encrypted="")
    return ends


def _claim(due_by: datetime) -> Message | None:
    """Take one message that nobody else has, or None when there is none left."""
    due = Q(state=State.QUEUED, next_try_at__lte=due_by) | Q(state=State.CLAIMED, lease_until__lte=due_by)
    due &= Q(expires_at__gt=due_by)
    while messages := list(Message.objects.filter(due).order_by("next_try_at", "pk")[:_BATCH]):
        for message in messages:
            mine = Message.objects.filter(due, pk=message.pk, attempts=message.attempts)
            lease_until = timezone.now() + DELIVERY_LEASE
            if mine.update(state=State.CLAIMED, lease_until=lease_until, attempts=F("attempts") + 1):
                message.attempts += 1
                return message
    return None


def _attempt(message: Message) -> State:
    """Send a claimed message once and return the state that it is in then."""
    try:
        letter, send = rendering.compose(message), sender_for(message.channel)
    except Error:
        raise
    except Exception as error:
        return _refused(message, error)
    # From here on nobody sends it again, unless the sender says that it was refused.
    alive = Q(expires_at__gt=timezone.now())
    if not _move(message, State.SENDING, alive, lease_until=timezone.now() + DELIVERY_LEASE):
        return _end(message, State.DEAD, error=_EXPIRED)
    try:
        send(letter)
    except Undeliverable as error:
        return _end(message, State.DEAD, error=str(error))
    except Refused as error:
        return _refused(message, error)
    except Exception as error:
        return _end(message, State.UNKNOWN, error=_said(error))
    return _end(message, State.DELIVERED, error="", delivered_at=timezone.now())


def _refused(message: Message, error: Exception) -> State:
    next_try_at = timezone.now() + retry_after(message.attempts)
    return _end(message, State.QUEUED, error=_said(error), next_try_at=next_try_at)


def _end(message: Message, state: State, **columns: Any) -> State:
    """End an attempt and return the state that it is in then: another's where that one was quicker."""
    if not _move(message, state, **columns):
        message.refresh_from_db(fields=["state"])
    return State(message.state)


def _said(error: Exception) -> str:
    """Return what may be shown of an error: a sender's own words, or of any other its kind alone."""
    return str(error) if isinstance(error, (Refused, DeliveryUnknown)) else f"It failed with {type(error).__name__}."


def _move(message: Message, state: State, *conditions: Q, **columns: Any) -> bool:
    """Take a message to its next state, if it is still the attempt that is known; return whether it was."""
    if state in (State.DELIVERED, State.DEAD):
        columns["encrypted"] = ""
    if "error" in columns:
        columns["error"] = columns["error"][:ERROR_LENGTH]
    same = Message.objects.filter(*conditions, pk=message.pk, attempts=message.attempts, state__in=_BEFORE[state])
    if not same.update(state=state, **columns):
        return False
    message.state = state
    if state is not State.SENDING:
        _log(message, columns["error"])
    return True


def _log(message: Message, error: str) -> None:
    level = logging.INFO if message.state == State.DELIVERED else logging.WARNING
    what = f"message {message.pk}, {message.kind} by {message.channel} to {names.masked(message.address)}"
    logger.log(level, "%s: %s", what, f"{message.state}. {error}".rstrip())
