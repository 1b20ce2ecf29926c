"""Delivers the outbox's messages, and defines the states of a message.

    queued ─▶ claimed ─▶ sending ─▶ delivered
       ▲ └─────┼────────────┤
       └───────┴─ refused ──┤   retried later, until it expires: then dead
                            └─▶ unknown: the gateway did not answer, or the worker stopped; never retried

Every transition is one UPDATE that names the previous state and the attempt, so that exactly one of several workers
makes it. A message's values are blanked once it is delivered or expired.

The project has its own outbox because the task queues and mail outboxes for Django store messages unencrypted and have
no state between done and failed: they would resend a message that may have arrived.
"""

import logging
import time
from collections import Counter
from datetime import datetime
from typing import Any

from django.db import Error, close_old_connections, connections
from django.db.models import Case, F, Q, When
from django.utils import timezone

from accounts import names
from accounts.messaging import heartbeat, outbox, rendering
from accounts.messaging.senders import DeliveryRefused, DeliveryUnknown, Undeliverable, sender_for
from accounts.models import Kind, Message, State
from accounts.models.message import CODES, ERROR_LENGTH
from accounts.policies import DELIVERY_LEASE, DELIVERY_POLL, HOUSEKEEPING_INTERVAL, retry_after

logger = logging.getLogger(__name__)

_BATCH = 20
# A code is awaited and soon expires; a notice can wait. Activations come by the hundred, and must not hold codes up.
_CODES_FIRST = Case(When(kind__in=CODES, then=0), When(kind=Kind.ACTIVATION, then=1), default=2)
_NOT_REACHED = "Text messages are not sent to this number."
_EXPIRED = "The message expired before it was sent."
_WORKER_STOPPED = "The worker stopped while it was sending the message."
# The states that precede each state. A worker that was presumed stopped may still report its result.
_PREVIOUS_STATES = {
    State.SENDING: (State.CLAIMED,),
    State.DELIVERED: (State.SENDING, State.UNKNOWN),
    State.QUEUED: (State.CLAIMED, State.SENDING, State.UNKNOWN),
    State.UNKNOWN: (State.SENDING,),
    State.DEAD: (State.QUEUED, State.CLAIMED, State.SENDING, State.UNKNOWN),
}


class DeliveryWorker:
    """Delivers messages until it is stopped; several workers may run at once, in several processes."""

    def __init__(self) -> None:
        self._stopping = False
        self._next_housekeeping = timezone.now()

    def stop(self) -> None:
        """Make `run` return after the current message. It takes no lock, because a signal handler calls it."""
        self._stopping = True

    def run(self) -> None:
        """Deliver what is due and poll for more; an unavailable database is retried."""
        try:
            self._run_until_stopped()
        finally:
            connections.close_all()

    def _run_until_stopped(self) -> None:
        failing = False
        while not self._stopping:
            try:
                close_old_connections()
                delivered = self._deliver_one()
                failing = False
            except Exception as error:
                delivered = False
                if not failing:
                    logger.error(
                        "delivery failed and will be retried: %s",
                        error if isinstance(error, Error) else type(error).__name__,
                    )
                failing = True
            if not delivered:
                time.sleep(DELIVERY_POLL.total_seconds())

    def _deliver_one(self) -> bool:
        if timezone.now() >= self._next_housekeeping:
            heartbeat.beat()
            expire_messages()
            self._next_housekeeping = timezone.now() + HOUSEKEEPING_INTERVAL
        return deliver_next() is not None


def deliver_due() -> Counter[State]:
    """Attempt each message that is due once, and return the number of messages by resulting state."""
    heartbeat.beat()
    outcomes, now = expire_messages(), timezone.now()
    while outcome := deliver_next(now):
        outcomes[outcome] += 1
    return outcomes


def deliver_next(due_by: datetime | None = None) -> State | None:
    """Attempt one message that is due and return its resulting state, or None if no message was due."""
    message = _claim(due_by or timezone.now())
    return _deliver(message) if message else None


def expire_messages() -> Counter[State]:
    """Mark expired messages as dead, blank their values, and mark what a stopped worker was sending as unknown."""
    now = timezone.now()
    counts = Counter[State]()
    for message in Message.objects.filter(state=State.SENDING, lease_until__lte=now):
        counts[State.UNKNOWN] += _move(message, State.UNKNOWN, error=_WORKER_STOPPED)
    waiting = Q(state__in=[State.QUEUED, State.CLAIMED])
    for message in Message.objects.filter(waiting, expires_at__lte=now):
        counts[State.DEAD] += _move(message, State.DEAD, waiting, error=message.error or _EXPIRED)
    open_ended = Message.objects.filter(state__in=[State.SENDING, State.UNKNOWN], expires_at__lte=now)
    # One row at a time, like every write here: two workers that lock many rows at once could deadlock.
    for pk in open_ended.exclude(encrypted="").values_list("pk", flat=True):
        Message.objects.filter(pk=pk).update(encrypted="")
    return counts


def _claim(due_by: datetime) -> Message | None:
    """Claim one due message, codes before notices, or return None when there is none."""
    due = Q(state=State.QUEUED, next_try_at__lte=due_by) | Q(state=State.CLAIMED, lease_until__lte=due_by)
    due &= Q(expires_at__gt=due_by)
    while messages := list(Message.objects.filter(due).order_by(_CODES_FIRST, "next_try_at", "pk")[:_BATCH]):
        for message in messages:
            claimable = Message.objects.filter(due, pk=message.pk, attempts=message.attempts)
            lease_until = timezone.now() + DELIVERY_LEASE
            if claimable.update(state=State.CLAIMED, lease_until=lease_until, attempts=F("attempts") + 1):
                message.attempts += 1
                return message
    return None


def _deliver(message: Message) -> State:
    """Send a claimed message once and return its resulting state."""
    if not outbox.reaches(message.channel, message.address):
        return _finish(message, State.DEAD, error=_NOT_REACHED)
    try:
        rendered, send = rendering.render(message), sender_for(message.channel)
    except Error:
        raise
    except Exception as error:
        return _requeue(message, error)
    # From here on the message is sent again only if the sender reports a refusal.
    unexpired = Q(expires_at__gt=timezone.now())
    if not _move(message, State.SENDING, unexpired, lease_until=timezone.now() + DELIVERY_LEASE):
        return _finish(message, State.DEAD, error=_EXPIRED)
    try:
        send(rendered)
    except Undeliverable as error:
        return _finish(message, State.DEAD, error=str(error))
    except DeliveryRefused as error:
        return _requeue(message, error)
    except Exception as error:
        return _finish(message, State.UNKNOWN, error=_error_text(error))
    return _finish(message, State.DELIVERED, error="", delivered_at=timezone.now())


def _requeue(message: Message, error: Exception) -> State:
    next_try_at = timezone.now() + retry_after(message.attempts)
    return _finish(message, State.QUEUED, error=_error_text(error), next_try_at=next_try_at)


def _finish(message: Message, state: State, **columns: Any) -> State:
    """Finish an attempt and return the message's state, which another worker may have changed meanwhile."""
    if not _move(message, state, **columns):
        message.refresh_from_db(fields=["state"])
    return State(message.state)


def _error_text(error: Exception) -> str:
    """Return the text of a sender's error, or the type alone of any other: its text may hold a secret."""
    if isinstance(error, (DeliveryRefused, DeliveryUnknown)):
        return str(error)
    return f"Delivery failed with {type(error).__name__}."


def _move(message: Message, state: State, *conditions: Q, **columns: Any) -> bool:
    """Move a message to a state unless another worker has changed it; return whether it was moved."""
    if state in (State.DELIVERED, State.DEAD):
        columns["encrypted"] = ""
    if "error" in columns:
        columns["error"] = columns["error"][:ERROR_LENGTH]
    unchanged = Message.objects.filter(
        *conditions, pk=message.pk, attempts=message.attempts, state__in=_PREVIOUS_STATES[state]
    )
    if not unchanged.update(state=state, **columns):
        return False
    message.state = state
    if state is not State.SENDING:
        _log(message, columns["error"])
    return True


def _log(message: Message, error: str) -> None:
    level = logging.INFO if message.state == State.DELIVERED else logging.WARNING
    name = f"message {message.pk}, {message.kind} by {message.channel} to {names.masked(message.address)}"
    logger.log(level, "%s: %s", name, f"{message.state}. {error}".rstrip())
