"""The policies that are in force, as a page for security officers."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from accounts import policies
from accounts.models import Role, User

# Of the group of security officers, see `accounts.security.duties`.
PERMISSION: Final = "accounts.unlock_user"


def rows() -> Sequence[tuple[Promise, object]]:
    """Return each policy with its value."""
    password = policies.active_profile().password
    lock = policies.ACCOUNT_ADDRESS_LIMIT
    return [
        (_("profile"), settings.PROFILE),
        (_("separate duties"), _("yes") if settings.SEPARATE_DUTIES else _("no")),
        (_("characters of a password at least"), password.shortest),
        (_("common and breached passwords are accepted"), _("yes") if password.guessable else _("no")),
        (_("former passwords that may not return"), settings.PASSWORD_HISTORY),
        (_("days after which a password expires"), _days(settings.PASSWORD_MAX_AGE)),
        (_("days without a login after which an account is disabled"), _days(settings.DORMANT_AFTER)),
        (_("wrong passwords that lock an account at an address"), lock.limit),
        (_("the same from all unknown addresses together"), policies.UNKNOWN_ADDRESSES_LIMIT.limit),
        (_("the same since the last successful login"), policies.SLOW_GUESSING_LIMIT.limit),
        (_("wrong passwords that lock an address over all accounts"), policies.ADDRESS_LIMIT.limit),
        (_("first lock; each further one lasts twice as long"), _minutes(lock.first_lock)),
        (_("longest lock"), _minutes(lock.longest_lock)),
        (_("sessions of the admin site end when unused for"), _minutes(policies.ADMIN_SESSION.idle_timeout)),
        (_("sessions of the admin site end in any case after"), _minutes(policies.ADMIN_SESSION.absolute_timeout)),
        (_("roles that must have a second factor"), _roles(settings.MFA_REQUIRED_ROLES)),
        (_("days that ended sessions are kept"), policies.SESSION_KEPT.days),
        (_("days that the trail is kept"), settings.TRAIL_RETENTION_DAYS),
    ]


def _minutes(value: timedelta) -> str:
    count = value // timedelta(minutes=1)
    return ngettext("%d minute", "%d minutes", count) % count


def _days(value: timedelta | None) -> object:
    return value.days if value else pgettext("a limit", "off")


def _roles(names: Collection[str]) -> str:
    return ", ".join(str(label) for role, label in Role.choices if role in names) or "-"


def policies_page(request: HttpRequest) -> TemplateResponse:
    """Return the page. Raises PermissionDenied."""
    if not cast(User, request.user).has_perm(PERMISSION):
        raise PermissionDenied
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Policies in force"),
        "rows": rows(),
    }
    return TemplateResponse(request, "admin/policies.html", context)
