"""Events of sessions in the trail. Those that a client can repeat at will are limited by time."""

from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import Session, User
from accounts.policies import SESSION_EVENT_INTERVAL
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


def event(
    origin: Origin, kind: Event, session: Session, *, actor: User | None = None, **detail: object
) -> SecurityEvent:
    """Return an event of a session, which the caller records."""
    return SecurityEvent.of(
        origin,
        kind,
        user_id=session.user_id,
        actor_id=actor.pk if actor else None,
        session=str(session.pk),
        **detail,
    )


def store_origin(*, session: Session, origin: Origin, now: datetime) -> None:
    """Record a refresh from another address or device than the last one, and store the new ones in the session.

    Inside the transaction of the refresh. At most once a minute for each session, so that a client that alternates
    cannot fill the trail.
    """
    if (session.ip, session.user_agent) == (origin.ip, origin.user_agent):
        return
    moved = _not_within_interval("moved_at", session, now).update(
        ip=origin.ip, user_agent=origin.user_agent, moved_at=now
    )
    if moved:
        record(event(origin, Event.SESSION_MOVED, session, last_ip=session.ip, last_user_agent=session.user_agent))


def record_reuse(*, session: Session, generation: int, origin: Origin, now: datetime) -> None:
    """Record the use of a spent token of a session that continues.

    Whoever holds the token may repeat it: one event a minute stands for all of its uses, and a use that is not recorded
    writes nothing to the database.
    """
    last = session.reuse_recorded_at
    if last and last > now - SESSION_EVENT_INTERVAL:
        return

    def work() -> None:
        if _not_within_interval("reuse_recorded_at", session, now).update(reuse_recorded_at=now):
            record(event(origin, Event.SESSION_REFRESH_REUSED, session, generation=generation))

    atomically(work)


def _not_within_interval(column: str, session: Session, now: datetime) -> QuerySet[Session]:
    due = Q(**{column: None}) | Q(**{f"{column}__lte": now - SESSION_EVENT_INTERVAL})
    return Session.objects.filter(due, pk=session.pk)
