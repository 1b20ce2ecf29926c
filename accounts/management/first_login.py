"""What commands that create accounts say of the first login."""

from typing import Final

from django.conf import settings

_NOTICE: Final = (
    "The first login at the admin site asks to set up a second factor: an authenticator app, a passkey or a security"
    " key (MFA_REQUIRED_ROLES has the role {role}). Until then the APIs refuse the account."
)


def notice(role: str) -> str:
    """Return the notice for an account of this role; blank where the role needs no second factor."""
    return _NOTICE.format(role=role) if role in settings.MFA_REQUIRED_ROLES else ""
