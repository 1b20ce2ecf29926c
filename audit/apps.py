"""Registers the app with Django."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("audit trail")

    def ready(self) -> None:
        post_migrate.connect(_create_lanes, sender=self)


def _create_lanes(**_: Any) -> None:
    from django.db import connection

    from audit.models import Lane
    from audit.start import create_lanes

    # A migration backwards may have removed the table.
    if Lane._meta.db_table in connection.introspection.table_names():
        create_lanes()
