"""The policies that are in force, as a page for security officers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import policies
from accounts.models import Role, User
from audit.labels import in_a_row

# Of the group of security officers, see `accounts.security.duties`.
PERMISSION: Final = "accounts.unlock_user"
# What the deployment's profile decides: see `policies.Profile`.
_PROFILES: Final[Mapping[str, Promise]] = {
    "documented": _("as the documents of the former systems say"),
    "hardened": _("hardened"),
}


def rows() -> Sequence[tuple[Promise, object]]:
    """Return each policy with its value."""
    profile = policies.active_profile()
    lock = policies.ACCOUNT_ADDRESS_LIMIT
    return [
        (pgettext_lazy("configuration", "profile"), _PROFILES[settings.PROFILE]),
        (_("separate duties"), _("yes") if settings.SEPARATE_DUTIES else _("no")),
        (
            _("a new password, at registration, in the admin site and in programs of the former systems"),
            _password(profile.password),
        ),
        (
            _("a new password, chosen by a code or a link or changed by way of the native interface"),
            _password(profile.native_change),
        ),
        (_("former passwords that may not return"), settings.PASSWORD_HISTORY or pgettext("a limit", "off")),
        (_("a password expires after"), _duration(settings.PASSWORD_MAX_AGE)),
        (_("an account is disabled after this time without a login"), _duration(settings.DORMANT_AFTER)),
        (_("wrong passwords that lock an account at an address"), lock.limit),
        (_("the same from all unknown addresses together"), policies.UNKNOWN_ADDRESSES_LIMIT.limit),
        (_("the same since the last successful login"), policies.SLOW_GUESSING_LIMIT.limit),
        (_("wrong passwords that lock an address over all accounts"), policies.ADDRESS_LIMIT.limit),
        (_("first lock; each further one lasts twice as long"), _duration(lock.first_lock)),
        (_("longest lock"), _duration(lock.longest_lock)),
        (_("sessions of the admin site end when unused for"), _duration(policies.ADMIN_SESSION.idle_timeout)),
        (_("sessions of the admin site end in any case after"), _duration(policies.ADMIN_SESSION.absolute_timeout)),
        (_("roles that must have a second factor"), _roles(settings.MFA_REQUIRED_ROLES)),
        (_("ended sessions are kept for"), _duration(policies.SESSION_KEPT)),
        (_("the trail is kept for"), _duration(timedelta(days=settings.TRAIL_RETENTION_DAYS))),
    ]


def _password(rule: policies.PasswordRule) -> str:
    """Return what a rule asks of a password, in words."""
    parts = [ngettext("at least %d character", "at least %d characters", rule.shortest) % rule.shortest]
    if rule.mixed:
        parts.append(gettext("with upper and lower case letters and a digit"))
    if not rule.guessable:
        parts.append(gettext("not common or breached, and not similar to the user's own data"))
    return gettext("; ").join(parts)


def _duration(value: timedelta | None) -> str:
    """Return a length of time in the largest unit of which it has more than one."""
    if value is None:
        return pgettext("a limit", "off")
    if value >= timedelta(days=2):
        return ngettext("%d day", "%d days", value.days) % value.days
    hours, rest = divmod(value, timedelta(hours=1))
    if hours and not rest:
        return ngettext("%d hour", "%d hours", hours) % hours
    minutes = value // timedelta(minutes=1)
    return ngettext("%d minute", "%d minutes", minutes) % minutes


def _roles(names: Collection[str]) -> str:
    return in_a_row(label for role, label in Role.choices if role in names) or pgettext("roles", "none")


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
