"""What an administrator decides about somebody's account; each says whether there was anything to decide."""

from accounts.models import EndReason, User
from accounts.services import permissions, sessions, users
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, escape_control_chars
from audit.record import record


def approve(*, user: User, actor: User, origin: Origin) -> bool:
    """Let somebody in who waits for it. Raises PermissionDenied and NotFound."""
    return _switch(user, "awaits_approval", False, actor, origin)


def activate(*, user: User, actor: User, origin: Origin) -> bool:
    """Let somebody in again; no former session comes back. Raises PermissionDenied and NotFound."""
    return _switch(user, "is_active", True, actor, origin)


def deactivate(*, user: User, actor: User, origin: Origin) -> bool:
    """Keep somebody out, which ends their sessions. Raises what `users.save_changes` does."""
    return _switch(user, "is_active", False, actor, origin)


def reject(*, user: User, reason: str, actor: User, origin: Origin) -> bool:
    """Disable an account that waits for approval, and record why. Raises PermissionDenied.

    It has never been approved, so activating it makes it wait again.
    """
    permissions.require_may_change(actor, user)

    def work() -> bool:
        waiting = User.objects.select_for_update().filter(pk=user.pk, is_active=True, awaits_approval=True).first()
        if waiting is None:
            return False
        waiting.is_active = False
        waiting.save(update_fields=["is_active", "updated_at"])
        sessions.mark_ended(waiting, EndReason.CREDENTIAL_CHANGED)
        told = {"reason": escape_control_chars(reason)}
        record(SecurityEvent.of(origin, Event.USER_REJECTED, user_id=user.pk, actor_id=actor.pk, **told))
        return True

    return atomically(work)


def end_sessions(*, user: User, actor: User, origin: Origin) -> bool:
    """Log somebody out everywhere. Raises PermissionDenied."""
    permissions.require_may_change(actor, user)
    ended = sessions.end_all(user=user, reason=EndReason.ENDED_BY_ADMINISTRATOR, origin=origin, actor=actor)
    # A login of the admin site has ended, too, and has no row that counts.
    return bool(ended) or user.is_staff


def _switch(user: User, column: str, value: bool, actor: User, origin: Origin) -> bool:
    permissions.require_may_change(actor, user)
    setattr(user, column, value)
    return users.save_changes(user=user, fields=[column], actor=actor, origin=origin)
