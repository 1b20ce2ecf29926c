"""Strings of Django's that this project translates itself.

Marking them puts them into the catalogue of `authsvc`, which precedes Django's own because it is the first app.
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

DJANGO_STRINGS: Final = (
    _("Add"),
    _("Add link"),
    _("Add %s"),
    _("Add %(name)s"),
    _("Change %s"),
    _("View %s"),
    _("Action:"),
    _("Filter"),
    _("Forgotten your login credentials?"),
    _("The {name} “{obj}” was added successfully."),
    _("The {name} “{obj}” was changed successfully."),
    _("The {name} “{obj}” was changed successfully. You may edit it again below."),
    _("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    _("The {name} “{obj}” was added successfully. You may add another {name} below."),
    _("You may edit it again below."),
    _("Log out"),
    _("Model name"),
    _("Change or view list link"),
    _("Logged out"),
    _("Thanks for spending some quality time with the web site today."),
    _("Password change"),
    _(
        "Please enter your old password, for security’s sake, and then enter your new password twice so we can verify"
        " you typed it in correctly."
    ),
    _("Past 7 days"),
    _("Save and add another"),
    _("%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?"),
)
# How long somebody has waited: Django's Chinese for three months is that for March.
DJANGO_DURATIONS: Final[tuple[Promise | str, ...]] = (
    ngettext_lazy("%(num)d month", "%(num)d months", "num"),
    ngettext_lazy("%(num)d day", "%(num)d days", "num"),
)
