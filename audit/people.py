"""What lists show of a person: the name and department as they are now, and marks of those who see more than others."""

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The group, which a superuser grants, whose members read the trail in the admin site, whatever their role.
AUDITORS: Final = "auditors"

_SUPERUSER: Final = _("superuser")
_AUDITOR: Final = _("auditor")


def marks(user: Any) -> list[Promise]:
    """Return what marks a superuser and an auditor. A list of users prefetches their groups for it."""
    found: list[Promise] = [_SUPERUSER] if user.is_superuser else []
    return [*found, _AUDITOR] if any(group.name == AUDITORS for group in user.groups.all()) else found


def real_name(user: Any) -> str:
    """Return the full name and the department, as far as they are known."""
    return " · ".join(filter(None, (user.full_name, user.department)))
