"""The groups of an account, which carry permissions of the admin site."""

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.errors import PermissionDenied, SeparatedDuties
from accounts.models import User
from accounts.security.duties import are_separate
from accounts.services import user_events
from accounts.transactions import atomically
from audit.events import Event
from audit.origin import Origin
from audit.record import record


def grant(*, user: User, group: str, actor: User, origin: Origin) -> bool:
    """Add an account to a group, from the next request on; return whether anything changed.

    Raises PermissionDenied unless the actor is a superuser, because groups carry permissions, and SeparatedDuties.
    """
    return _set(user, group, actor, origin, member=True)


def revoke(*, user: User, group: str, actor: User, origin: Origin) -> bool:
    """Remove an account from a group, from the next request on; return whether anything changed.

    Raises PermissionDenied unless the actor is a superuser.
    """
    return _set(user, group, actor, origin, member=False)


def _set(user: User, group: str, actor: User, origin: Origin, *, member: bool) -> bool:
    if not actor.is_superuser:
        raise PermissionDenied
    row = Group.objects.get(name=group)

    def work() -> bool:
        role = User.objects.select_for_update().get(pk=user.pk).role
        before = set(user.groups.values_list("name", flat=True))
        after = before | {group} if member else before - {group}
        if before == after:
            return False
        if member and not are_separate(role, after):
            raise SeparatedDuties
        (user.groups.add if member else user.groups.remove)(row)
        User.objects.filter(pk=user.pk).update(updated_at=timezone.now())
        detail = {"old": sorted(before), "new": sorted(after)}
        record(user_events.event(origin, Event.USER_GROUPS_CHANGED, user, actor, **detail))
        return True

    return atomically(work)
