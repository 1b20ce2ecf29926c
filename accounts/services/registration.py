"""Registration of accounts."""

import re
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.errors import AlreadyTaken, InvalidInput, Overloaded, Problem
from accounts.models import User
from accounts.policies import active_profile
from accounts.reserved_names import is_reserved
from accounts.security import hashing
from accounts.security.quota import Quota
from accounts.services import passwords, registration_quota, users
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

# A generated name leaves room for a number; a race for a name is lost a few times at most.
_STEM_LENGTH = 100
_NAME_TRIES = 10
# Numbers that are tried in turn before a random one.
_NUMBERED = 50

_NOT_ALLOWED = Problem("not_allowed", _("This role is not open to registration."))
_RESERVED = Problem("reserved", _("This user name is reserved."))


def register(*, columns: Mapping[str, Any], password: str, roles: Collection[str], origin: Origin) -> User:
    """Create an account on a public request, and return it.

    `columns` are those of `User`, `role` among them; `roles` are those of the contract's document. Raises
    InvalidInput, AlreadyTaken, TooManyRegistrations and Overloaded.
    """
    user = User(**{**columns, "username": names.display_username(columns["username"])})
    _require_valid(user, password, roles)
    with registration_quota.limit_disclosure(origin) as quota:
        users.require_free(user)
        with hashing.slots.take():
            user.password = hashing.make(password)
        user.awaits_approval = user.role in active_profile().on_approval
        with users.duplicate_as_already_taken(user):
            atomically(lambda: _create(user, quota, origin))
    return user


def register_or_create(
    *, actor: User | None, columns: Mapping[str, Any], password: str, roles: Collection[str], origin: Origin
) -> User:
    """Register an account or, for an administrator, create it with any of `roles`.

    Raises what `register` raises.
    """
    if actor is None or not actor.has_perm("accounts.add_user"):
        return register(columns=columns, password=password, roles=roles, origin=origin)
    if columns["role"] not in roles:
        raise InvalidInput({"role": [_NOT_ALLOWED]})
    return users.create(columns=columns, password=password, origin=origin, actor=actor)


def register_by_email(*, columns: Mapping[str, Any], password: str, roles: Collection[str], origin: Origin) -> User:
    """Register an account without a user name; one is generated from the local part of the e-mail address.

    Raises what `register` raises.
    """
    for number in range(_NAME_TRIES):
        name = _free_name(str(columns["email"]), skip=number)
        try:
            return register(columns={**columns, "username": name}, password=password, roles=roles, origin=origin)
        except AlreadyTaken as error:
            # A parallel request has taken the generated name; the next one may be free.
            if set(error.errors) != {"username"}:
                raise AlreadyTaken(*(field for field in error.errors if field != "username")) from error
    raise Overloaded(retry_after=timedelta(seconds=1))


def _free_name(email: str, skip: int) -> str:
    """Return the local part as a name, numbered if taken or reserved; `skip` names taken since are left out."""
    stem = re.sub(r"[^\w.+-]", "", email.partition("@")[0])[:_STEM_LENGTH]
    if not names.is_username(stem):
        stem = "user"
    # A numbered name may be a phone number, which is not a valid name.
    numbered = (f"{stem}{number}" for number in range(2, _NUMBERED))
    possible = (name for name in (stem, *numbered) if names.is_username(name) and not is_reserved(name))
    keys = {name: names.canonical_username(name) for name in possible}
    taken = set(User.objects.filter(username_key__in=keys.values()).values_list("username_key", flat=True))
    free = [name for name, key in keys.items() if key not in taken]
    return free[skip] if skip < len(free) else f"{stem}-{secrets.token_hex(4)}"


def _create(user: User, quota: Quota, origin: Origin) -> None:
    quota.spend(timezone.now())
    users.insert(user)
    record(SecurityEvent.of(origin, Event.USER_REGISTERED, user_id=user.pk, actor_id=user.pk, role=user.role))


def _require_valid(user: User, password: str, roles: Collection[str]) -> None:
    errors = users.wrong_columns(user)
    if "username" not in errors and is_reserved(user.username):
        errors["username"] = [_RESERVED]
    allowed = active_profile().at_once | active_profile().on_approval
    if user.role not in roles or user.role not in allowed:
        errors["role"] = [_NOT_ALLOWED]
    if wrong := passwords.problems(password, user, active_profile().password):
        errors["password"] = wrong
    if errors:
        raise InvalidInput(errors)
