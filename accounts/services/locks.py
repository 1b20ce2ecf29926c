"""Locks that are in force, and their removal by an administrator."""

from collections.abc import Iterable, Mapping
from typing import Final

from accounts.models import AttemptBudget, User
from accounts.security import locked_accounts
from accounts.security.budgets import Account
from accounts.services import identifiers, users
from accounts.transactions import atomically
from audit.events import Event
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.record import record

# The newest locks of names among which that of a row is looked for: older ones have ended.
_NAMES_SEARCHED: Final = 500


def unlock(*, lock: AttemptBudget, actor: User, origin: Origin) -> bool:
    """Remove a lock with all others of its account, name or address; return whether there was one.

    Raises NotFound where the account is gone, and PermissionDenied for a superuser's unless `actor` is one.
    """
    if lock.account_id:
        return users.unlock(user=users.find(user_id=lock.account_id), actor=actor, origin=origin)
    typed = typed_names([lock]).get(lock.name_digest, "")

    def work() -> bool:
        if lock.name_digest:
            cleared, event = locked_accounts.unlock_name(lock.name_digest), Event.NAME_UNLOCKED
            detail = {"identifier": typed}
        else:
            cleared, event = locked_accounts.unlock_address(lock.address), Event.ADDRESS_UNLOCKED
            detail = {"address": lock.address}
        if cleared:
            record(SecurityEvent.of(origin, event, user_id=None, actor_id=actor.pk, **detail))
        return bool(cleared)

    return atomically(work)


def typed_names(locks: Iterable[AttemptBudget]) -> Mapping[str, str]:
    """Return the names that no account has as they were typed, by the digest that a lock has of each.

    The trail has them; a name whose event is not among the newest is missing.
    """
    wanted = {lock.name_digest for lock in locks} - {""}
    if not wanted:
        return {}
    events = SecurityEvent.objects.filter(event__in=(Event.NAME_LOCKED, Event.ACCOUNT_LOCKED), user=None)
    typed = [str(detail.get("identifier", "")) for detail in events.values_list("detail", flat=True)[:_NAMES_SEARCHED]]
    return {digest: name for name in typed if (digest := _digest(name)) in wanted}


def _digest(name: str) -> str:
    return Account.unknown(identifiers.any_of_three(name).value).name_digest
