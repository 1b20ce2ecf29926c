"""The page of docs/browsers.md in a real browser, from another origin than the service, in two tabs."""

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings as project
from playwright.sync_api import Page, Request, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.tools import PASSWORD
from authsvc.tests.browser import open_browser

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

PRINTED = (project.BASE_DIR / "docs" / "browsers.md").read_text(encoding="utf-8")
CALLS = 5


class PageRequestHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def page_server(live_server: LiveServer, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The origin of a server of the printed page, which calls the service and is listed there."""
    (page,) = re.findall(r"^```html\n(.*?)^```", PRINTED, re.DOTALL | re.MULTILINE)
    assert page.count("http://127.0.0.1:8000") == 1
    (tmp_path / "index.html").write_text(page.replace("http://127.0.0.1:8000", live_server.url), encoding="utf-8")
    with ThreadingHTTPServer(("localhost", 0), partial(PageRequestHandler, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://localhost:{server.server_port}"
        settings.CORS_ALLOWED_ORIGINS = [origin]
        yield origin
        server.shutdown()


def start_calls(tab: Page) -> None:
    """Start calls at once with an access token that is refused; do not wait for them."""
    tab.evaluate(
        """count => {
            accessToken = 'expired';
            calls = Promise.all(Array.from({length: count}, () => call('me').then(response => response.status)));
        }""",
        CALLS,
    )


def test_two_tabs_share_the_cookie_and_no_script_reads_it(
    live_server: LiveServer, page_server: str, alice: User, tmp_path: Path
) -> None:
    with open_browser(page_server, "en", tmp_path) as checked:
        first, second = checked.page, checked.page.context.new_page()
        requests: list[Request] = []
        checked.page.context.on("request", lambda request: requests.append(request))
        first.goto("/")
        first.get_by_label("User name").fill("alice")
        first.get_by_label("Password").fill(PASSWORD)
        first.get_by_role("button", name="Log in").click()
        expect(first.locator("#name")).to_have_text("alice")
        # The second tab logs in by the cookie of the first.
        second.goto("/")
        expect(second.locator("#name")).to_have_text("alice")
        (cookie,) = checked.page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
            "__Host-refresh_token",
            True,
            True,
            "Strict",
        )
        assert first.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]

        requests.clear()
        for tab in (first, second):
            start_calls(tab)
        assert [tab.evaluate("calls") for tab in (first, second)] == [[200] * CALLS] * 2
        refreshes = [each for each in requests if each.method == "POST" and each.url.endswith("/refresh")]
        assert len(refreshes) == 2

        second.get_by_role("button", name="Log out").click()
        expect(second.get_by_role("button", name="Log in")).to_be_visible()
        assert checked.page.context.cookies() == []
        first.reload()
        expect(first.get_by_role("button", name="Log in")).to_be_visible()
