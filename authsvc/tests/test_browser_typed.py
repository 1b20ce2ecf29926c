"""What was typed into a form when the session ended: for whom it is kept, and until when, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Session, User
from accounts.tests.tools import PASSWORD
from authsvc.tests.browser import in_thread, open_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

KEPT = "sessionStorage.getItem('authsvc.typed') !== null"


def log_in(page: Page, username: str) -> None:
    page.locator("#id_username").fill(username)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#login-form [type=submit]").click()


@pytest.fixture
def page(live_server: LiveServer, tmp_path: Path, alice: User, head: User, root: User) -> Iterator[Page]:
    """A page at the login to which the head has come by saving a form, and whose tab keeps what was typed."""
    with open_browser(live_server.url, "en-GB", tmp_path, contrasts=False) as checked:
        page = checked.page
        page.clock.install()
        page.goto(f"/admin/accounts/user/{alice.pk}/change/")
        log_in(page, "head")
        page.locator("#id_full_name").fill("Alice Wang")
        in_thread(lambda: Session.objects.filter(contract="admin").update(ended_at=timezone.now()))
        page.locator("[name=_save]").click()
        expect(page.locator("#login-form")).to_be_visible()
        assert page.evaluate(KEPT)
        yield page


def test_another_user_is_not_given_it(page: Page, alice: User) -> None:
    log_in(page, "root")
    expect(page.locator("#id_full_name")).to_have_value(alice.full_name)
    assert not page.evaluate(KEPT)


def test_a_logout_in_another_tab_drops_it(page: Page) -> None:
    other = page.context.new_page()
    other.goto("/admin/")
    log_in(other, "head")
    other.locator("#logout-form button").click()
    expect(other.get_by_role("link", name="Log in again")).to_be_visible()
    assert not page.evaluate(KEPT)


def test_it_is_dropped_after_an_hour_at_the_login(page: Page) -> None:
    page.clock.fast_forward("55:00")
    assert page.evaluate(KEPT)
    page.clock.fast_forward("05:01")
    assert not page.evaluate(KEPT)
