"""Creating, finding, changing and unlocking accounts."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.functional import lazy

from accounts import names
from accounts.errors import AlreadyTaken, EditConflict, InvalidInput, NotFound, Problem
from accounts.models import Channel, EndReason, Kind, User
from accounts.models.user_queryset import CREDENTIAL_FIELDS, new_stamp
from accounts.policies import active_profile
from accounts.security import hashing, locked_accounts
from accounts.services import notices, passwords, permissions, sessions, user_events
from accounts.services.versions import require_version, version
from accounts.transactions import atomically
from audit.events import Event
from audit.origin import Origin
from audit.record import record
from audit.validity import Validity

_DATES: Final = frozenset({"valid_from", "valid_until"})
_STATE: Final = frozenset({"is_active", "awaits_approval", *_DATES})
_VALIDATED: Final = (*names.IDENTIFIERS, *_DATES)


def _first_message(error: ValidationError) -> str:
    return error.messages[0]


# Django's validators make their messages in the active language.
_message = lazy(_first_message, str)


def column_errors(user: User, columns: Collection[str]) -> dict[str, list[ValidationError]]:
    """Return what is wrong with the values of these columns, by field."""
    others = {field.name for field in User._meta.concrete_fields} - set(columns)
    try:
        user.clean_fields(exclude=others)
    except ValidationError as error:
        return error.error_dict
    return {}


def wrong_columns(user: User, columns: Collection[str] = _VALIDATED) -> dict[str, list[Problem]]:
    """Return what is wrong with a user's identifiers and dates, all or some of them, by field."""
    errors = column_errors(user, columns)
    return {field: [Problem(str(found[0].code), _message(found[0]))] for field, found in errors.items()}


def require_free(user: User) -> None:
    """Raise AlreadyTaken for identifiers that another account has."""
    if taken := User.objects.taken(user):
        raise AlreadyTaken(*taken)


@contextmanager
def duplicate_as_already_taken(user: User) -> Iterator[None]:
    """Turn the database's refusal of a duplicate into AlreadyTaken: a parallel request has stored it since the look."""
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
    """Create an account for another user, with any role, and return it.

    Without a password its owner must choose one with a reset code before the first login. Raises InvalidInput,
    AlreadyTaken and Overloaded.
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
        user.vouch()
        insert(user)
        record(user_events.created(user, actor, origin))

    with duplicate_as_already_taken(user):
        atomically(work)
    return user


def insert(user: User) -> None:
    """Write a new account. Inside a transaction."""
    # A repeated transaction inserts again: the id of the first try was rolled back with it.
    user.pk, user._state.adding = None, True
    user.save(force_insert=True)


def change(
    *,
    user: User,
    changes: Mapping[str, Any],
    actor: User,
    origin: Origin,
    versions: Collection[str] | None = None,
) -> User:
    """Change columns of an account and return it; values that stay the same are no change and no event.

    Where `versions` are given, the account must be in one of them. Raises NotFound, PermissionDenied, OwnAccount,
    LastAdministrator, SeparatedDuties, InvalidInput, AlreadyTaken and EditConflict.
    """
    if versions is not None and version(user) not in versions:
        raise EditConflict
    fields = assign(user, changes, actor)
    require_free(user)
    with duplicate_as_already_taken(user):
        save_changes(user=user, fields=fields, actor=actor, origin=origin, versions=versions)
    return user


def set_role(*, user: User, role: str, actor: User, origin: Origin) -> bool:
    """Give an account another role; return whether that changed anything. Raises what `change` raises."""
    return save_changes(user=user, fields=assign(user, {"role": role}, actor), actor=actor, origin=origin)


def assign(user: User, changes: Mapping[str, Any], actor: User) -> list[str]:
    """Set attributes of a user without saving it, and return the names of those that changed.

    Raises PermissionDenied and InvalidInput. Whether another account has an identifier is not examined here.
    """
    permissions.require_may_change(actor, user)
    fields = [name for name, value in changes.items() if getattr(user, name) != value]
    for name in fields:
        setattr(user, name, changes[name])
    if errors := wrong_columns(user):
        raise InvalidInput(errors)
    return fields


def save_changes(
    *,
    user: User,
    fields: Collection[str],
    actor: User | None,
    origin: Origin,
    unchanged_since: datetime | None = None,
    versions: Collection[str] | None = None,
) -> bool:
    """Save these fields of an account, with an event for each kind of change; return whether anything changed.

    The other fields keep what the database has. A new role or state also ends the account's sessions, and so do new
    dates where the account was outside its former ones or is outside the new ones. Raises NotFound,
    PermissionDenied, OwnAccount, LastAdministrator, SeparatedDuties, and EditConflict where the account has been
    changed since `unchanged_since`, its `updated_at` as it was read, or is in none of these `versions`.
    """
    if not fields:
        return False
    # Another spelling of the same number is not a change.
    user.derive()

    def work() -> bool:
        # Of two identical changes at once only the first is one: the other must not end sessions opened in between.
        account = permissions.lock_for_change(user, fields)
        stored = account.columns
        if unchanged_since and stored["updated_at"] != unchanged_since:
            raise EditConflict
        if versions is not None:
            require_version(user.pk, versions)
        before = {name: stored[name] for name in fields if stored[name] != getattr(user, name)}
        if not before:
            return False
        changes = {name: getattr(user, name) for name in before}
        permissions.require_allowed(actor=actor, user=user, stored=account, changes=changes)
        _write(user, before, actor, origin)
        record(*user_events.changed(user, before, actor, origin))
        return True

    return atomically(work)


def _write(user: User, before: Mapping[str, Any], actor: User | None, origin: Origin) -> None:
    """Write the changed fields, and what follows from them: ended sessions, and notices to former contacts."""
    former = notices.trusted_contacts(user)
    replaced = [each for each in Channel if each in before and not _same(each, before[each], getattr(user, each))]
    # A contact that is set directly replaces one that waits for its code.
    pending = [f"pending_{channel}" for channel in Channel if channel in before]
    for column in pending:
        setattr(user, column, "")
    stamp, activated = _renewed_stamp(user, before), _set_activated(user, before)
    vouched = _set_vouched(user, before, replaced, actor)
    user.save(update_fields=[*before, *pending, *vouched, *stamp, *activated, "updated_at"])
    if before.get("awaits_approval") and user.may_log_in():
        notices.notify_applicant(user=user, kind=Kind.REGISTRATION_APPROVED, origin=origin)
    if stamp or CREDENTIAL_FIELDS & before.keys():
        sessions.mark_ended(user, EndReason.CREDENTIAL_CHANGED)
    for channel in replaced:
        notices.notify_of_new_address(
            user=user, channel=channel, old=before[channel], former_contacts=former, origin=origin
        )


def _renewed_stamp(user: User, before: Mapping[str, Any]) -> list[str]:
    """Renew the stamp where new dates disable or enable the account, and return its column."""
    dates = {name: before.get(name, getattr(user, name)) for name in _DATES}
    if _DATES.isdisjoint(before) or User(**dates).validity() is user.validity() is Validity.CURRENT:
        return []
    user.stamp = new_stamp()
    return ["stamp"]


def _set_activated(user: User, before: Mapping[str, Any]) -> list[str]:
    """Note when a change lets the user log in, from which dormancy counts anew, and return the column."""
    former = {name: before.get(name, getattr(user, name)) for name in _STATE}
    if User(**former).may_log_in() or not user.may_log_in():
        return []
    user.activated_at = timezone.now()
    return ["activated_at"]


def _set_vouched(user: User, changed: Collection[str], replaced: Collection[Channel], actor: User | None) -> list[str]:
    """Set who vouches for changed contacts, and return the columns: nobody but another user, or the console, does."""
    if actor and actor.pk == user.pk:
        vouched = dict.fromkeys(replaced, "")
    else:
        vouched = {each: getattr(user, names.IDENTIFIERS[each].column) or "" for each in Channel if each in changed}
    for channel, value in vouched.items():
        setattr(user, f"vouched_{channel}", value)
    return [f"vouched_{channel}" for channel in vouched]


def _same(channel: Channel, old: str | None, new: str | None) -> bool:
    """Return whether two spellings have the same canonical form."""
    canonical = names.IDENTIFIERS[channel].canonical
    return (canonical(old) if old else None) == (canonical(new) if new else None)


def unlock(*, user: User, actor: User, origin: Origin) -> bool:
    """Delete an account's counted failures and locks; return whether there were any.

    Raises PermissionDenied.
    """
    permissions.require_may_change(actor, user)

    def work() -> bool:
        if not locked_accounts.unlock(user.pk, codes_too=True):
            return False
        record(user_events.event(origin, Event.USER_UNLOCKED, user, actor))
        return True

    return atomically(work)
