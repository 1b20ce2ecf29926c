"""The groups of an account, which carry permissions of the admin site."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.errors import PermissionDenied
from accounts.models import User
from accounts.services import user_events
from accounts.transactions import atomically
from audit.events import Event
from audit.origin import Origin
from audit.record import record


def set_groups(*, user: User, groups: Iterable[Group], actor: User, origin: Origin) -> bool:
    """Set the groups of an account, from the next request on; return whether anything changed.

    Raises PermissionDenied unless the actor is a superuser, because groups carry permissions.
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
        record(user_events.event(origin, Event.USER_GROUPS_CHANGED, user, actor, old=old, new=new))
        return True

    return atomically(work)
