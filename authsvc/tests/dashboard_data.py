"""The time, the rows and the figures that tests of the admin site's first page have."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, User
from accounts.tests import admin_client
from accounts.tests.tools import HERE
from audit.models import LoginAttempt
from authsvc.admin_site import dashboard

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Half past ten in the evening in UTC is the next morning in Shanghai.
NOW = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(settings: Settings) -> Iterator[None]:
    settings.ZONE = SHANGHAI
    with time_machine.travel(NOW, tick=False):
        yield


def attempt(at: datetime, failure_reason: str = "", **columns: Any) -> LoginAttempt:
    columns = {"contract": "native", "ip": HERE, "identifier": "alice", **columns}
    columns = {"status": "failed" if failure_reason else "success", **columns}
    return LoginAttempt.objects.create(at=at, failure_reason=failure_reason, **columns)


def lock(user: User, until: datetime, **columns: Any) -> None:
    values = {
        "purpose": "login",
        "account_id": user.pk,
        "address": HERE,
        "locked_until": until,
        "expires_at": until,
        **columns,
    }
    AttemptBudget.objects.create(**values)


def logged_in(user: User) -> Client:
    return admin_client.logged_in(user, headers={"Accept-Language": "en"})


def figures(user: User) -> dict[str, dashboard.Figure]:
    return {figure.name: figure for figure in dashboard.context_for(user)["figures"]}


def listed(user: User, url: str) -> int:
    """Return the number of rows in the list that a figure links to."""
    return rows_in(logged_in(user), url)


def rows_in(client: Client, url: str) -> int:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return int(answer.context["cl"].result_count)
