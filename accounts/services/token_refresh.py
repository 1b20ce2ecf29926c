"""A refresh: replace the session's token by the next one, and detect the reuse of a former one."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.errors import IdentityError, SessionEnded, TokenReused
from accounts.models import EndReason, Session
from accounts.policies import SessionPolicy
from accounts.services import session_events
from accounts.services.sessions import find, require_active
from accounts.services.statements import rotation, rotation_in_place
from accounts.transactions import atomically, repeatedly
from audit.events import Event
from audit.origin import Origin
from audit.record import record
from audit.validity import today


def refresh(*, session_id: UUID, generation: int, policy: SessionPolicy, origin: Origin) -> Session:
    """Rotate the session's refresh token and return the session as it is afterwards, with its `user`.

    One conditional write decides which request rotates. A request within ten seconds with the generation just spent
    gets the same successor. A refresh from the address and device of the last one is not recorded in the trail, because
    the session's own row has it. Raises TokenReused for an older generation where the policy ends the session, after
    its end has committed; UserGone and SessionEnded.
    """
    if session := _rotate_in_place(session_id, generation, policy, origin):
        return session
    outcome = atomically(lambda: _rotate(session_id, generation, policy, origin))
    if isinstance(outcome, IdentityError):
        raise outcome
    return outcome


def _rotate_in_place(session_id: UUID, generation: int, policy: SessionPolicy, origin: Origin) -> Session | None:
    """Rotate where nothing is to be recorded, without a transaction; None where no row is changed.

    Most refreshes are such: the newest generation of an active session, from the address and device of the last one.
    """
    columns = {"id": session_id, "contract": origin.contract, "generation": generation}
    place = {"ip": origin.ip, "user_agent": origin.user_agent}
    statement = rotation_in_place(policy.idle_timeout)
    return repeatedly(lambda: statement.execute(**columns, **place, now=timezone.now(), day=today()))


def _rotate(session_id: UUID, generation: int, policy: SessionPolicy, origin: Origin) -> Session | IdentityError:
    now = timezone.now()
    columns = {"id": session_id, "contract": origin.contract, "generation": generation}
    rotated = rotation(policy.idle_timeout).execute(**columns, now=now)
    session, in_grace = find(session_id, origin.contract)
    # For an inactive user or an ended session the exception rolls the rotation back.
    require_active(session, now)
    if rotated or (in_grace and generation == session.generation - 1):
        session_events.store_origin(session=session, origin=origin, now=now)
        return session
    if generation > session.generation:
        return SessionEnded()
    return _store_reuse(session, generation, policy, origin, now)


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
