"""Registers the system checks and the admin site with Django."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AuthsvcConfig(AppConfig):
    name = "authsvc"

    def ready(self) -> None:
        # The imports register the checks.
        from authsvc.configuration import checks, tls_checks  # noqa: F401


class AdminConfig(DjangoAdminConfig):
    default_site = "authsvc.admin_site.site.Site"
