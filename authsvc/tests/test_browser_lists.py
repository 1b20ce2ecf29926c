"""Lists whose columns fit beside their filters and on a phone, in a real browser and in Chinese."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import AttemptBudget, Channel, Kind, Message, State, User
from accounts.tests import admin_client
from authsvc.tests.browser import open_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

EMAIL = "zhangxiaoming@hospital.example"
# How many pixels of a list's columns are beyond its edge.
HIDDEN = "(results => results.scrollWidth - results.clientWidth)(document.querySelector('#result_list').parentElement)"


@pytest.fixture
def page(live_server: LiveServer, tmp_path: Path, root: User) -> Iterator[Page]:
    """A superuser's page, with somebody who has usual contacts, is locked and was sent a message."""
    now = timezone.now()
    user = User.objects.create_user("zhang_xm", EMAIL, phone="13800138001", role="viewer", full_name="张小明")
    User.objects.filter(pk=user.pk).update(department="重症监护室", last_login=now)
    sent = {"user": user, "channel": Channel.EMAIL, "address": EMAIL, "language": "zh-hans", "expires_at": now}
    Message.objects.create(kind=Kind.REGISTRATION_APPROVED, state=State.DELIVERED, delivered_at=now, **sent)
    Message.objects.create(kind=Kind.RESET_CODE, state=State.UNKNOWN, error="SMTP 550 mailbox unavailable", **sent)
    until = now + timedelta(minutes=15)
    lock = {"count": 5, "locked_until": until, "expires_at": until}
    AttemptBudget.objects.create(purpose="login", account_id=user.pk, address="203.0.113.77", **lock)
    cookies = admin_client.logged_in(root).cookies.items()
    with open_browser(live_server.url, "zh-CN", tmp_path, contrasts=False) as checked:
        checked.page.context.add_cookies(
            [{"name": name, "value": each.value, "url": live_server.url} for name, each in cookies]
        )
        yield checked.page


@pytest.mark.parametrize(
    ("model", "width"), [("user", 1280), ("message", 1280), ("attemptbudget", 1280), ("attemptbudget", 390)]
)
def test_every_column_is_in_view(page: Page, model: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/admin/accounts/{model}/")
    assert page.locator("#result_list tbody tr").count() >= 1
    assert page.evaluate(HIDDEN) == 0
