"""Permission to change accounts: of superusers, of one's own account, and of the last active administrator.

The API, the admin site and the commands call this. Changes in a shell or in SQL do not: whoever has a shell could undo
any rule of the model, and `createsuperuser` restores a missing administrator. No function of the service deletes users.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.errors import LastAdministrator, NotFound, OwnAccount, PermissionDenied, SeparatedDuties
from accounts.models import Role, User
from accounts.security.duties import are_separate
from audit.validity import today

_STATE: Final = ("role", "is_active", "awaits_approval", "valid_from", "valid_until")


# What nobody changes of the own account.
_NOT_ONES_OWN: Final = frozenset({"role", "is_active", "valid_from", "valid_until"})


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account as the database has it, and whether there is another active administrator beside it.

    Its row is locked until the transaction ends and, where it is an active administrator's whose role or state is to
    change, those of the other active administrators.
    """

    columns: Mapping[str, Any]
    is_last_administrator: bool


def require_may_change(actor: User, user: User) -> None:
    """Raise PermissionDenied where an actor who is not a superuser would change a superuser's account."""
    _require_superuser_if(user.is_superuser, actor)


def lock_for_change(user: User, fields: Collection[str]) -> StoredAccount:
    """Lock an account of which these fields are to change, and return it. Inside a transaction; raises NotFound.

    One statement locks all rows in one order: of two administrators who deactivate each other at the same instant, the
    second waits here and then sees that the first is gone.
    """
    ids = {user.pk}
    if not set(_STATE).isdisjoint(fields):
        administrators = set(User.objects.active_administrators().values_list("pk", flat=True))
        if user.pk in administrators:
            ids |= administrators
    columns = dict.fromkeys(("pk", "updated_at", "is_superuser", *_STATE, *fields))
    rows = User.objects.select_for_update().filter(pk__in=ids).order_by("pk").values(*columns)
    stored = {row["pk"]: row for row in rows}
    if user.pk not in stored:
        raise NotFound
    # An account that has become an administrator's since the look counts as the last one: the others are not locked.
    others = any(_is_active_administrator(row) for pk, row in stored.items() if pk != user.pk)
    return StoredAccount(stored[user.pk], _is_active_administrator(stored[user.pk]) and not others)


def require_allowed(*, actor: User | None, user: User, stored: StoredAccount, changes: Mapping[str, Any]) -> None:
    """Raise PermissionDenied, OwnAccount, LastAdministrator or SeparatedDuties where these changes are not allowed.

    Without an actor, on the console, only the last two are raised.
    """
    if actor:
        _require_superuser_if(stored.columns["is_superuser"], actor)
    if actor and actor.pk == user.pk and not _NOT_ONES_OWN.isdisjoint(changes):
        raise OwnAccount
    if stored.is_last_administrator and not _is_active_administrator({**stored.columns, **changes}):
        raise LastAdministrator
    if "role" in changes and not are_separate(changes["role"], set(user.groups.values_list("name", flat=True))):
        raise SeparatedDuties


def _require_superuser_if(is_superuser: bool, actor: User) -> None:
    if is_superuser and not actor.is_superuser:
        raise PermissionDenied


def _is_active_administrator(columns: Mapping[str, Any]) -> bool:
    """Return whether an administrator may log in without an end: one whose last day is known is not the last one."""
    if columns["valid_until"] or (columns["valid_from"] and columns["valid_from"] > today()):
        return False
    return columns["role"] == Role.ADMIN and columns["is_active"] and not columns["awaits_approval"]
