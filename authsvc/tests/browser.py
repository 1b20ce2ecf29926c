"""A real browser, and somebody at it who takes nothing from a page that its readers could not use."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

T = TypeVar("T")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT = 1280, 720
# Names a folder that every page is pictured in, for people to look at.
PICTURES = "BROWSER_PICTURES"
PATIENCE_MS = 10_000
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Colours change slowly, and axe would judge them half-way.
_SETTLE = "document.getAnimations().forEach(animation => animation.finish())"


def aside(work: Callable[[], T]) -> T:
    """Do in another thread what asks the database: in the browser's, an event loop runs that Django stays away from."""

    def alone() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


class Reader:
    """Looks at pages by day and by night, and keeps what is wrong with them in `complaints`."""

    def __init__(self, browser: Browser, address: str, locale: str, pictures: Path) -> None:
        context = browser.new_context(base_url=address, locale=locale, viewport={"width": WIDTH, "height": HEIGHT})
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.locale = locale
        self.pictures = pictures
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # A violation of the Content-Security-Policy is an error here too.
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.url}: {response.status}")

    def look(self, name: str, landmark: str) -> None:
        """Look at the page that has the landmark, a CSS selector; `name` is what complaints and pictures call it."""
        expect(self.page.locator(landmark).first).to_be_visible()
        self.page.wait_for_load_state()
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme)
            self.page.evaluate(_SETTLE)
            if os.environ.get(PICTURES):
                self.picture(f"{name}-{scheme}")
            if sideways := self.page.evaluate(_SIDEWAYS):
                self.complaints.append(f"{name}, {scheme}: {sideways} pixels too wide")
            # By night nothing but the colours is different.
            rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
            self.complaints += [f"{name}, {scheme}: {barrier}" for barrier in self._barriers(rules)]
        self.page.emulate_media(color_scheme="light")

    def _barriers(self, rules: dict[str, list[str]]) -> list[str]:
        """Return what keeps people from using the page, as axe finds it."""
        options = {"resultTypes": ["violations"], "preload": False, **rules}
        found: dict[str, Any] = Axe().run(self.page, options=options).response
        return [
            f"{violation['id']}: {[node['html'] for node in violation['nodes']]}"
            for violation in found["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]

    def picture(self, name: str) -> Path:
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{self.locale}-{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path


@contextmanager
def reading(address: str, locale: str, pictures: Path) -> Iterator[Reader]:
    """Open Debian's browser for somebody of this locale; without one the test fails under CI and is skipped elsewhere.

    The page at which a test fails is pictured in `pictures`, or in the folder that the environment names.
    """
    program = shutil.which("chromium")
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("chromium is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        reader = Reader(browser, address, locale, Path(os.environ.get(PICTURES) or pictures))
        try:
            yield reader
        except BaseException:
            print(f"The page is pictured in {reader.picture('failed')}.")
            raise
        finally:
            browser.close()
