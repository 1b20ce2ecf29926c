"""Decisions of administrators: approve, reject, activate, deactivate, log out. Each says whether anything changed."""

from uuid import UUID

from accounts.errors import NotFound
from accounts.models import EndReason, Kind, Session, User
from accounts.services import notices, permissions, sessions, users
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.record import record


def approve(*, user: User, actor: User, origin: Origin) -> bool:
    """Approve an account that awaits approval, and tell the applicant. Raises PermissionDenied and NotFound."""
    return _switch(user, "awaits_approval", False, actor, origin)


def activate(*, user: User, actor: User, origin: Origin) -> bool:
    """Activate a disabled account; former sessions stay ended. Raises PermissionDenied and NotFound."""
    return _switch(user, "is_active", True, actor, origin)


def deactivate(*, user: User, actor: User, origin: Origin) -> bool:
    """Disable an account and end its sessions.

    Raises PermissionDenied, OwnAccount, LastAdministrator and NotFound.
    """
    return _switch(user, "is_active", False, actor, origin)


def reject(*, user: User, reason: str, actor: User, origin: Origin) -> bool:
    """Disable an account that awaits approval, record the reason, and tell the applicant. Raises PermissionDenied.

    It still awaits approval if it is activated later.
    """
    permissions.require_may_change(actor, user)

    def work() -> bool:
        waiting = User.objects.select_for_update().filter(pk=user.pk, is_active=True, awaits_approval=True).first()
        if waiting is None:
            return False
        waiting.is_active = False
        waiting.save(update_fields=["is_active", "updated_at"])
        notices.notify_applicant(user=waiting, kind=Kind.REGISTRATION_REJECTED, origin=origin)
        sessions.mark_ended(waiting, EndReason.CREDENTIAL_CHANGED)
        detail = {"reason": escape_control_chars(reason)}
        record(SecurityEvent.of(origin, Event.USER_REJECTED, user_id=user.pk, actor_id=actor.pk, **detail))
        return True

    return atomically(work)


def end_sessions(*, user: User, actor: User, origin: Origin) -> bool:
    """End all sessions of an account. Raises PermissionDenied."""
    permissions.require_may_change(actor, user)
    return bool(sessions.end_all(user=user, reason=EndReason.ENDED_BY_ADMINISTRATOR, origin=origin, actor=actor))


def end_session(*, session: Session, actor: User, origin: Origin) -> bool:
    """End one session of an account. Raises PermissionDenied."""
    permissions.require_may_change(actor, session.user)
    return sessions.end(session=session, reason=EndReason.ENDED_BY_ADMINISTRATOR, origin=origin, actor=actor)


def end_session_of(*, user: User, session_id: UUID, actor: User, origin: Origin) -> None:
    """End an active session of this account. Raises PermissionDenied, and NotFound where it has no such session."""
    if not end_session(session=sessions.find_active(session_id, user), actor=actor, origin=origin):
        raise NotFound


def _switch(user: User, column: str, value: bool, actor: User, origin: Origin) -> bool:
    permissions.require_may_change(actor, user)
    setattr(user, column, value)
    return users.save_changes(user=user, fields=[column], actor=actor, origin=origin)
