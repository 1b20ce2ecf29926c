"""Sessions: authentication by token, lists of active ones, and end."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Exists, F, Q, QuerySet, When
from django.utils import timezone

from accounts.errors import NotFound, SessionEnded, UserGone, UserInactive
from accounts.models import EndReason, Session, User
from accounts.models.user_queryset import new_stamp
from accounts.policies import LAST_SEEN_STEP, SESSIONS_LIMIT
from accounts.services import session_events
from accounts.services.statements import SESSION, active_of_outer_user
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record
from audit.validity import may_log_in, today


def authenticate(*, session_id: UUID, origin: Origin, generation: int | None = None) -> Session:
    """Return the active session of the origin's contract with its `user`, in one statement.

    `generation` is that of an access token that is refreshed itself: it is valid while it is the newest, and for ten
    seconds after it was spent; its use after that is recorded. The first request after five minutes updates
    `last_seen_at`. Raises UserGone, UserInactive and SessionEnded.
    """
    session, in_grace = find(session_id, origin.contract)
    now = timezone.now()
    require_active(session, now)
    if generation not in {None, session.generation} and not (in_grace and generation == session.generation - 1):
        if generation is not None and generation < session.generation:
            session_events.record_reuse(session=session, generation=generation, origin=origin, now=now)
        raise SessionEnded
    if session.last_seen_at <= now - LAST_SEEN_STEP:
        Session.objects.filter(pk=session.pk, last_seen_at=session.last_seen_at).update(last_seen_at=now)
    return session


def find(session_id: UUID, contract: str) -> tuple[Session, bool]:
    """Return the session, and whether the last generation is in its grace period. Raises UserGone."""
    session = SESSION.first(id=session_id, contract=contract)
    if session is None:
        # A row is deleted only with its user.
        raise UserGone
    return session, bool(session.__dict__["recent"])


def require_active(session: Session, now: datetime) -> None:
    """Raise UserInactive or SessionEnded unless the session is active."""
    if not session.user.may_log_in():
        raise UserInactive
    if not session.is_active(now):
        raise SessionEnded


def is_active(now: datetime) -> Q:
    """Return the condition of active sessions of all users."""
    # Of two columns that are compared PostgreSQL expects one match in all tables, and reads both to find it.
    keeps_stamp = Case(When(stamp=F("user__stamp"), then=True), default=False, output_field=BooleanField())
    return Q(keeps_stamp, ended_at=None, expires_at__gt=now) & may_log_in(today(), "user__")


def active(*, user: User) -> QuerySet[Session]:
    """Return the active sessions of a user, newest first; one who may not log in has none."""
    if not user.may_log_in():
        nothing: QuerySet[Session] = Session.objects.none()
        return nothing
    return Session.objects.filter(user=user, stamp=user.stamp, ended_at=None, expires_at__gt=timezone.now())


def find_active(session_id: UUID, user: User) -> Session:
    """Return an active session of a user. Raises NotFound."""
    session = active(user=user).select_related("user").filter(pk=session_id).first()
    if session is None:
        raise NotFound
    return session


def has_active(now: datetime, **columns: Any) -> Q:
    """Return the condition of users with an active session, whose columns have these values."""
    return Q(Exists(active_of_outer_user(now).filter(**columns))) & may_log_in(today())


def supersede(*, user: User, origin: Origin, now: datetime) -> list[SecurityEvent]:
    """End the user's sessions in this contract beyond the limit, those unseen longest; return an event for each.

    Inside a transaction that holds the user's row, so that of parallel logins each counts the sessions of the others.
    The caller records the events.
    """
    in_contract = active(user=user).filter(contract=origin.contract).order_by("-last_seen_at", "-created_at")
    superseded = list(in_contract[SESSIONS_LIMIT:])
    rows = Session.objects.filter(pk__in=[session.pk for session in superseded], ended_at=None)
    rows.update(ended_at=now, end_reason=EndReason.SUPERSEDED)
    reason = EndReason.SUPERSEDED.value
    return [session_events.event(origin, Event.SESSION_ENDED, session, reason=reason) for session in superseded]


def end_own(*, session_id: UUID, user: User, origin: Origin) -> None:
    """End one of a user's own sessions. Raises NotFound for another user's, and for one that has ended."""
    session = find_active(session_id, user)
    if not end(session=session, reason=EndReason.LOGOUT, origin=origin, actor=user):
        raise NotFound


def end(*, session: Session, reason: EndReason, origin: Origin, actor: User | None = None) -> bool:
    """End one session; its tokens are refused from the next request on. Returns whether it had not ended before."""

    def work() -> bool:
        if not Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now(), end_reason=reason):
            return False
        record(session_events.event(origin, Event.SESSION_ENDED, session, actor=actor, reason=reason.value))
        return True

    return atomically(work)


def end_all(*, user: User, reason: EndReason, origin: Origin, actor: User | None = None) -> int:
    """End every session of a user, those of the admin site too, and return how many rows there were."""

    def work() -> int:
        count = mark_ended(user, reason)
        # A login that is under way keeps the former stamp, and fails.
        User.objects.filter(pk=user.pk).update(stamp=new_stamp())
        if count:
            actor_id = actor.pk if actor else None
            record(
                SecurityEvent.of(
                    origin, Event.SESSION_ENDED, user_id=user.pk, actor_id=actor_id, reason=reason.value, count=count
                )
            )
        return count

    return atomically(work)


def mark_ended(user: User, reason: EndReason) -> int:
    """Mark a user's sessions as ended, and return how many; the caller records the event."""
    return Session.objects.filter(user=user, ended_at=None).update(ended_at=timezone.now(), end_reason=reason)
