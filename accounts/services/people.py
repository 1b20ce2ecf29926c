"""What is done to accounts by those who look after them."""

from collections.abc import Mapping
from typing import Any

from accounts import names
from accounts.errors import InvalidInput
from accounts.models import EndReason, User
from accounts.models.user import CREDENTIAL_FIELDS
from accounts.policies import profile
from accounts.security import hashing
from accounts.services import passwords, sessions
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record


def create(*, columns: Mapping[str, Any], password: str, origin: Origin, actor: User | None = None) -> User:
    """Create an account on somebody's behalf, with any role, and return it. Raises InvalidInput."""
    user = User(**{**columns, "username": names.display_username(columns["username"])})
    if wrong := passwords.problems(password, user, profile().registration):
        raise InvalidInput({"password": wrong})
    user.password = hashing.make(password)

    def work() -> None:
        user.save(force_insert=True)
        record(_event(origin, Event.USER_CREATED, user, actor, role=user.role))

    atomically(work)
    return user


def save_changes(*, user: User, before: Mapping[str, Any], actor: User | None, origin: Origin) -> None:
    """Save an account that somebody has changed, with an event for each kind of change.

    `before` has the old values of the changed fields. A new role or state also ends the account's sessions.
    """

    def work() -> None:
        user.save()
        if CREDENTIAL_FIELDS & before.keys():
            sessions.mark_ended(user, EndReason.CREDENTIAL_CHANGED)
        record(*_change_events(user, before, actor, origin))

    atomically(work)


def _change_events(user: User, before: Mapping[str, Any], actor: User | None, origin: Origin) -> list[SecurityEvent]:
    events = []
    if "role" in before:
        events.append(_event(origin, Event.USER_ROLE_CHANGED, user, actor, old=before["role"], new=user.role))
    if "is_active" in before:
        event = Event.USER_ACTIVATED if user.is_active else Event.USER_DEACTIVATED
        events.append(_event(origin, event, user, actor))
    if before.get("awaits_approval"):
        events.append(_event(origin, Event.USER_APPROVED, user, actor))
    if others := sorted(before.keys() - {"role", "is_active", "awaits_approval"}):
        events.append(_event(origin, Event.USER_CHANGED, user, actor, fields=others))
    return events


def _event(origin: Origin, event: Event, user: User, actor: User | None, **detail: object) -> SecurityEvent:
    return SecurityEvent.of(origin, event, user_id=user.pk, actor_id=actor.pk if actor else None, **detail)
