"""Registers the system checks and the admin site with Django."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries


class AuthsvcConfig(AppConfig):
    name = "authsvc"

    def ready(self) -> None:
        # The imports register the checks.
        from authsvc.configuration import checks, tls_checks  # noqa: F401

        _disconnect_idle_receivers()


def _disconnect_idle_receivers() -> None:
    """Disconnect Django's receivers that find nothing to do here, which would take a twentieth of a short request."""
    # The end of the request before has closed what there was to close.
    request_started.disconnect(close_old_connections)
    if not settings.DEBUG:
        # Without DEBUG queries are not kept.
        request_started.disconnect(reset_queries)
    # Neither backend of `CACHES` has anything to close after a request.
    request_finished.disconnect(close_caches)


class AdminConfig(DjangoAdminConfig):
    default_site = "authsvc.admin_site.site.Site"
