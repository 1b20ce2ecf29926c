"""What lists show of a person, and the groups of the three officers."""

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.validity import Validity

SYSTEM_ADMINISTRATORS: Final = "system_administrators"
SECURITY_OFFICERS: Final = "security_officers"
AUDITORS: Final = "auditors"
# The three officers of MLPS (GB/T 22239, 8.1.4): groups of the admin site that a superuser grants, whatever the role.
OFFICERS: Final[dict[str, Promise]] = {
    SYSTEM_ADMINISTRATORS: _("system administrators"),
    SECURITY_OFFICERS: _("security officers"),
    AUDITORS: _("auditors"),
}

_SUPERUSER: Final = _("superuser")
_AUDITOR: Final = _("auditor")
# The state of an account that is active and approved.
_VALIDITY: Final[dict[Validity, Promise]] = {
    Validity.NOT_YET: _("not yet valid"),
    Validity.CURRENT: _("active"),
    Validity.ENDED: _("no longer valid"),
}


def marks(user: Any) -> list[Promise]:
    """Return what marks a superuser and an auditor. A list of users prefetches their groups for it."""
    found: list[Promise] = [_SUPERUSER] if user.is_superuser else []
    return [*found, _AUDITOR] if any(group.name == AUDITORS for group in user.groups.all()) else found


def state(user: Any) -> Promise:
    """Return whether an account may log in, or why not."""
    if not user.is_active:
        return _("disabled, not approved") if user.awaits_approval else _("disabled")
    return _("awaits approval") if user.awaits_approval else _VALIDITY[user.validity()]


def outside_dates(user: Any) -> Promise | None:
    """Return why an account may not log in today for the sake of its dates alone, or None."""
    validity = user.validity()
    return None if validity is Validity.CURRENT else _VALIDITY[validity]


def real_name(user: Any) -> str:
    """Return the full name and the department as they are now, as far as they are known."""
    return " · ".join(filter(None, (user.full_name, user.department)))
