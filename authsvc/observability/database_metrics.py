"""Metrics that are read from the database when they are asked for; they are the same on every node."""

import logging
import platform
from collections.abc import Iterator

from django.conf import settings
from django.db import Error
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts import database_errors
from accounts.messaging.heartbeat import delivery_status
from accounts.models import SigningKey, User
from accounts.security.locked_accounts import is_locked
from authsvc.observability.server_connections import server_connections

logger = logging.getLogger(__name__)


class DatabaseCollector(Collector):
    """Yields the build, and what the database says; while the database does not answer, the build alone."""

    def collect(self) -> Iterator[Metric]:
        version = settings.SPECTACULAR_SETTINGS["VERSION"]
        build = {"version": version, "python": platform.python_version()}
        yield InfoMetricFamily("authsvc_build", "The release, and the Python that runs it.", build)
        try:
            yield from [*_messages(), *_accounts(), *_connections()]
        except Error as error:
            database_errors.COUNT.inc()
            logger.error("The metrics of the database are missing: %s", database_errors.summary(error))


def _messages() -> Iterator[Metric]:
    status = delivery_status(timezone.now())
    yield GaugeMetricFamily("authsvc_messages_pending", "Messages that wait for delivery.", status.pending)
    yield GaugeMetricFamily(
        "authsvc_message_age_seconds",
        "Age of the oldest message that waits for delivery, or 0.",
        status.oldest.total_seconds(),
    )
    if status.unseen_for is not None:
        yield GaugeMetricFamily(
            "authsvc_delivery_unseen_seconds",
            "Time since a delivery worker was last seen on any node.",
            status.unseen_for.total_seconds(),
        )


def _accounts() -> Iterator[Metric]:
    now = timezone.now()
    locked = User.objects.filter(is_locked(now)).count()
    yield GaugeMetricFamily("authsvc_accounts_locked", "Accounts whose logins are locked.", locked)
    ages = GaugeMetricFamily(
        "authsvc_signing_key_age_seconds", "Age of the newest signing key of each purpose.", labels=["purpose"]
    )
    for purpose, created_at in SigningKey.objects.filter(verifies_until=None).values_list("purpose", "created_at"):
        ages.add_metric([purpose], (now - created_at).total_seconds())
    yield ages


def _connections() -> Iterator[Metric]:
    if found := server_connections():
        yield GaugeMetricFamily("authsvc_db_connections", "Connections that the database server has.", found.used)
        yield GaugeMetricFamily("authsvc_db_connections_limit", "Connections that it accepts.", found.limit)
