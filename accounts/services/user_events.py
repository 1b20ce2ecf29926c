"""The events of changes to accounts."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from accounts import names
from accounts.models import User
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin, escape_control_chars


def event(origin: Origin, kind: Event, user: User, actor: User | None, **detail: object) -> SecurityEvent:
    """Return the event of something that an actor, or the console without one, does to an account."""
    return SecurityEvent.of(origin, kind, user_id=user.pk, actor_id=actor.pk if actor else None, **detail)


def created(user: User, actor: User | None, origin: Origin) -> SecurityEvent:
    """Return the event of an account that an actor has created."""
    return event(origin, Event.USER_CREATED, user, actor, role=user.role)


def changed(user: User, before: Mapping[str, Any], actor: User | None, origin: Origin) -> list[SecurityEvent]:
    """Return the events of changed fields, whose former values are `before`."""
    events, fields = [], set(before)
    if "role" in before:
        events.append(event(origin, Event.USER_ROLE_CHANGED, user, actor, old=before["role"], new=user.role))
    if "is_active" in before:
        kind = Event.USER_ACTIVATED if user.is_active else Event.USER_DEACTIVATED
        events.append(event(origin, kind, user, actor))
    if before.get("awaits_approval"):
        events.append(event(origin, Event.USER_APPROVED, user, actor))
        fields.remove("awaits_approval")
    if others := sorted(fields - {"role", "is_active"}):
        values = {} if actor and actor.pk == user.pk else _values(user, before, others)
        events.append(event(origin, Event.USER_CHANGED, user, actor, fields=others, **values))
    return events


def _values(user: User, before: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return the former and the present values of what somebody else has changed; contacts are masked.

    `profile` is data of client programs, of which nobody knows what it contains.
    """
    shown = [name for name in fields if name != "profile"]
    return {
        "old": {name: _shown(name, before[name]) for name in shown},
        "new": {name: _shown(name, getattr(user, name)) for name in shown},
    }


def _shown(field: str, value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    return escape_control_chars(names.masked(value) if value and field in names.CONTACTS else value)
