"""Registers the app and its system checks with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("accounts")

    def ready(self) -> None:
        # Importing registers them.
        from accounts.messaging import checks  # noqa: F401
