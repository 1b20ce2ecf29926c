"""Strings of Django's that this project translates itself.

Marking them puts them into the catalogue of `authsvc`, which precedes Django's own because it is the first app.
"""

from typing import Final

from django.utils.translation import gettext_noop as _

DJANGO_STRINGS: Final = (
    _("Select %s to change"),
    _("Select %s to view"),
    _("Add"),
    _("Add %s"),
    _("Add %(name)s"),
    _("Change %s"),
    _("View %s"),
    _("Action:"),
    _("Filter"),
    _("Forgotten your login credentials?"),
    _("Log out"),
    _("Logged out"),
    _("Thanks for spending some quality time with the web site today."),
    _("Recent actions"),
    _("My actions"),
    _("None available"),
    _("This object doesn’t have a change history. It probably wasn’t added via this admin site."),
    _("CSRF verification failed. Request aborted."),
    _("More information is available with DEBUG=True."),
)
