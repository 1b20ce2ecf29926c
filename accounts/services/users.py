"""Accounts: what they may hold, and what is done to them by those who look after them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.utils import timezone

from accounts import names
from accounts.errors import AlreadyTaken, ChangedMeanwhile, InvalidInput, NotFound, PermissionDenied, Problem
from accounts.models import Channel, EndReason, User
from accounts.models.user import CREDENTIAL_FIELDS
from accounts.policies import active_profile
from accounts.security import hashing, lockout
from accounts.services import notices, passwords, permissions, sessions
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

_READ: dict[str, Callable[[str], str]] = {
    "username": names.canonical_username,
    "email": names.canonical_email,
    "phone": names.canonical_phone,
}


def wrong_columns(user: User) -> dict[str, list[Problem]]:
    """Return what is wrong with a user's name, address and number, by field."""
    errors: dict[str, list[Problem]] = {}
    for name, read in _READ.items():
        value = getattr(user, name)
        if not value and name != "username":
            continue
        try:
            read(value)
        except names.InvalidIdentifier as error:
            errors[name] = [Problem("invalid", str(error))]
    return errors


def require_free(user: User) -> None:
    """Raise AlreadyTaken for what another account has."""
    if taken := User.objects.taken(user):
        raise AlreadyTaken(*taken)


@contextmanager
def duplicate_as_already_taken(user: User) -> Iterator[None]:
    """Turn the database's refusal of a duplicate into AlreadyTaken: somebody was quicker after the look."""
    try:
        yield
    except IntegrityError as error:
        if taken := User.objects.taken(user):
            raise AlreadyTaken(*taken) from error
        raise


def find(*, user_id: int) -> User:
    """Return an account. Raises NotFound."""
    user: User | None = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def create(*, columns: Mapping[str, Any], password: str | None, origin: Origin, actor: User | None = None) -> User:
    """Create an account on somebody's behalf, with any role, and return it.

    Without a password nobody logs in until a code has let the owner choose one. Raises InvalidInput, AlreadyTaken and
    Overloaded.
    """
    user = User(**{**columns, "username": names.display_username(columns["username"])})
    errors = wrong_columns(user)
    if password is not None and (wrong := passwords.problems(password, user, active_profile().password)):
        errors["password"] = wrong
    if errors:
        raise InvalidInput(errors)
    require_free(user)
    if password is None:
        user.set_unusable_password()
    else:
        with hashing.slots.take():
            user.password = hashing.make(password)

    def work() -> None:
        insert(user)
        record(created(user, actor, origin))

    with duplicate_as_already_taken(user):
        atomically(work)
    return user


def insert(user: User) -> None:
    """Write a new account. Inside a transaction."""
    # A repeated transaction inserts again: the id of the first try was rolled back with it.
    user.pk, user._state.adding = None, True
    user.save(force_insert=True)


def created(user: User, actor: User | None, origin: Origin) -> SecurityEvent:
    """Return the event of an account that somebody created."""
    return _event(origin, Event.USER_CREATED, user, actor, role=user.role)


def change(*, user: User, changes: Mapping[str, Any], actor: User, origin: Origin) -> User:
    """Change columns of an account and return it. What stays as it was is no change and no event.

    Raises NotFound, PermissionDenied, OwnAccount, LastAdministrator, InvalidInput and AlreadyTaken.
    """
    fields = assign(user, changes, actor)
    with duplicate_as_already_taken(user):
        save_changes(user=user, fields=fields, actor=actor, origin=origin)
    return user


def assign(user: User, changes: Mapping[str, Any], actor: User) -> list[str]:
    """Put changes into a user that is not saved yet, and return the names of what did change.

    Raises PermissionDenied, InvalidInput and AlreadyTaken.
    """
    permissions.require_may_change(actor, user)
    fields = [name for name, value in changes.items() if getattr(user, name) != value]
    for name in fields:
        setattr(user, name, changes[name])
    if errors := wrong_columns(user):
        raise InvalidInput(errors)
    require_free(user)
    return fields


def save_changes(
    *,
    user: User,
    fields: Collection[str],
    actor: User | None,
    origin: Origin,
    unchanged_since: datetime | None = None,
) -> bool:
    """Save an account of which somebody has changed these fields, with an event for each kind of change.

    The others are left as the database has them, and what it has already is no change. A new role or state also ends
    the account's sessions. Returns whether anything changed. Raises NotFound, PermissionDenied, OwnAccount,
    LastAdministrator, and ChangedMeanwhile where the account has been changed since `unchanged_since`, its `updated_at`
    as it was read.
    """
    if not fields:
        return False
    # Another spelling of the same number is no change either.
    user.derive()

    def work() -> bool:
        # Of two identical changes at once only the first is one: the other must not end sessions opened in between.
        account = permissions.lock_for_change(user, fields)
        stored = account.columns
        if unchanged_since and stored["updated_at"] != unchanged_since:
            raise ChangedMeanwhile
        before = {name: stored[name] for name in fields if stored[name] != getattr(user, name)}
        if not before:
            return False
        changes = {name: getattr(user, name) for name in before}
        permissions.require_allowed(actor=actor, user=user, stored=account, changes=changes)
        # A change that somebody else makes, or that is made at once, takes the place of one that waits for its code.
        proposals = [f"pending_{channel}" for channel in Channel if channel in before]
        for column in proposals:
            setattr(user, column, "")
        user.save(update_fields=[*before, *proposals, "updated_at"])
        if CREDENTIAL_FIELDS & before.keys():
            sessions.mark_ended(user, EndReason.CREDENTIAL_CHANGED)
        for channel in Channel:
            if channel in before and not _same(channel, before[channel], getattr(user, channel)):
                notices.notify_of_new_address(user=user, channel=channel, old=before[channel], origin=origin)
        record(*_change_events(user, before, actor, origin))
        return True

    return atomically(work)


def set_groups(*, user: User, groups: Iterable[Group], actor: User, origin: Origin) -> bool:
    """Make these the groups of an account, from the next request on; return whether anything changed.

    Raises PermissionDenied for anybody but a superuser, because groups carry permissions.
    """
    if not actor.is_superuser:
        raise PermissionDenied
    wanted = {group.pk: group.name for group in groups}

    def work() -> bool:
        User.objects.select_for_update().get(pk=user.pk)
        before = dict(user.groups.values_list("pk", "name"))
        if before == wanted:
            return False
        user.groups.set(wanted)
        User.objects.filter(pk=user.pk).update(updated_at=timezone.now())
        old, new = sorted(before.values()), sorted(wanted.values())
        record(_event(origin, Event.USER_GROUPS_CHANGED, user, actor, old=old, new=new))
        return True

    return atomically(work)


def _same(channel: Channel, old: str | None, new: str | None) -> bool:
    """Return whether two spellings of an address or number are of one."""
    read = _READ[channel]
    return (read(old) if old else None) == (read(new) if new else None)


def unlock(*, user: User, actor: User, origin: Origin) -> bool:
    """Forget an account's failed logins, so that its owner may try again at once; return whether there were any.

    Raises PermissionDenied.
    """
    permissions.require_may_change(actor, user)

    def work() -> bool:
        if not lockout.unlock(user.pk, codes_too=True):
            return False
        record(_event(origin, Event.USER_UNLOCKED, user, actor))
        return True

    return atomically(work)


def _change_events(user: User, before: Mapping[str, Any], actor: User | None, origin: Origin) -> list[SecurityEvent]:
    events = []
    if "role" in before:
        events.append(_event(origin, Event.USER_ROLE_CHANGED, user, actor, old=before["role"], new=user.role))
    if "is_active" in before:
        event = Event.USER_ACTIVATED if user.is_active else Event.USER_DEACTIVATED
        events.append(_event(origin, event, user, actor))
    if before.get("awaits_approval"):
        events.append(_event(origin, Event.USER_APPROVED, user, actor))
    told = {"role", "is_active"} | ({"awaits_approval"} if before.get("awaits_approval") else set())
    if others := sorted(before.keys() - told):
        events.append(_event(origin, Event.USER_CHANGED, user, actor, fields=others))
    return events


def _event(origin: Origin, event: Event, user: User, actor: User | None, **detail: object) -> SecurityEvent:
    return SecurityEvent.of(origin, event, user_id=user.pk, actor_id=actor.pk if actor else None, **detail)
