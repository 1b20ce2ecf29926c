"""A refresh: replace the session's token by the next one, and detect the reuse of a former one."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import (
    CharField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Field,
    GenericIPAddressField,
    PositiveIntegerField,
    UUIDField,
)
from django.db.models.functions import Least, Now
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from accounts.errors import IdentityError, SessionEnded, TokenReused
from accounts.models import EndReason, Session
from accounts.policies import SessionPolicy
from accounts.services import session_events
from accounts.services.sessions import active_outer_user, find, require_active
from accounts.transactions import atomically, repeatedly
from audit.events import Event
from audit.origin import Origin
from audit.prepared import PreparedUpdate, update_query
from audit.record import record
from audit.validity import today


def refresh(*, session_id: UUID, generation: int, policy: SessionPolicy, origin: Origin) -> Session:
    """Rotate the session's refresh token and return the session as it is afterwards, with its `user`.

    One conditional write decides which request rotates. A request within ten seconds with the generation just spent
    gets the same successor. A refresh from the address and device of the last one is not recorded in the trail, because
    the session's own row has it. Raises TokenReused for an older generation where the policy ends the session, after
    its end has committed; UserGone and SessionEnded.
    """
    if _rotate_in_place(session_id, generation, policy, origin):
        session, _in_grace = find(session_id, origin.contract)
        require_active(session, timezone.now())
        return session
    outcome = atomically(lambda: _rotate(session_id, generation, policy, origin))
    if isinstance(outcome, IdentityError):
        raise outcome
    return outcome


def _rotate_in_place(session_id: UUID, generation: int, policy: SessionPolicy, origin: Origin) -> bool:
    """Rotate where nothing is to be recorded, by one statement without a transaction; False where it changes no row.

    Most refreshes are such: the newest generation of an active session, from the address and device of the last one.
    """
    rotation = _rotation(policy.idle_timeout, in_place=True)
    place = {"ip": origin.ip, "user_agent": origin.user_agent}
    columns = {"id": session_id, "contract": origin.contract, "generation": generation}
    return bool(repeatedly(lambda: rotation.execute(**columns, **place, now=timezone.now(), day=today())))


def _rotate(session_id: UUID, generation: int, policy: SessionPolicy, origin: Origin) -> Session | IdentityError:
    now = timezone.now()
    rotation = _rotation(policy.idle_timeout)
    rotated = rotation.execute(id=session_id, contract=origin.contract, generation=generation, now=now)
    session, in_grace = find(session_id, origin.contract)
    # For an inactive user or an ended session the exception rolls the rotation back.
    require_active(session, now)
    if rotated or (in_grace and generation == session.generation - 1):
        session_events.store_origin(session=session, origin=origin, now=now)
        return session
    if generation > session.generation:
        return SessionEnded()
    return _store_reuse(session, generation, policy, origin, now)


@cache
def _rotation(idle_timeout: timedelta, *, in_place: bool = False) -> PreparedUpdate:
    def build(now: Any, day: Any = None, **columns: Any) -> UpdateQuery:
        sessions = Session.objects.filter(**columns, ended_at=None, expires_at__gt=now)
        return update_query(
            sessions.filter(Exists(active_outer_user(day))) if in_place else sessions,
            generation=F("generation") + 1,
            rotated_at=Now(),
            last_seen_at=now,
            expires_at=Least(F("latest_end_at"), now + idle_timeout),
        )

    fields: dict[str, Field[Any, Any]] = {"id": UUIDField(), "contract": CharField(), "now": DateTimeField()}
    place: dict[str, Field[Any, Any]] = {
        "ip": GenericIPAddressField(),
        "user_agent": CharField(),
        "day": DateField(),
    }
    return PreparedUpdate(build, generation=PositiveIntegerField(), **fields, **(place if in_place else {}))


def _store_reuse(
    session: Session, generation: int, policy: SessionPolicy, origin: Origin, now: datetime
) -> IdentityError:
    """Record the use of a spent token and return its error; the session ends where the policy says so."""
    if not policy.reuse_ends:
        session_events.record_reuse(session=session, generation=generation, origin=origin, now=now)
        return SessionEnded()
    Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now, end_reason=EndReason.REUSE)
    record(session_events.event(origin, Event.SESSION_REFRESH_REUSED, session, generation=generation))
    return TokenReused()
