"""A real browser whose pages are checked for errors, width and accessibility."""

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
    "--disable-extensions",
    "--disable-software-rasterizer",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT = 1280, 720
# Names a folder for screenshots of every page.
SCREENSHOTS = "BROWSER_PICTURES"
TIMEOUT_MS = 10_000
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Finish colour transitions, which axe would otherwise measure half-way.
_SETTLE = "document.getAnimations().forEach(animation => animation.finish())"


def in_thread(work: Callable[[], T]) -> T:
    """Call a function in another thread: Django refuses queries beside Playwright's event loop."""

    def call() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


class CheckedPage:
    """Checks pages in light and dark mode and collects their faults in `faults`.

    Contrasts are the same in every language, and need be checked in one: `contrasts`.
    """

    def __init__(self, browser: Browser, address: str, locale: str, folder: Path, *, contrasts: bool) -> None:
        context = browser.new_context(base_url=address, locale=locale, viewport={"width": WIDTH, "height": HEIGHT})
        context.set_default_timeout(TIMEOUT_MS)
        self.page: Page = context.new_page()
        self.locale = locale
        self.folder = folder
        self.contrasts = contrasts
        self.faults: list[str] = []
        self._names: set[str] = set()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # A violation of the Content-Security-Policy is an error here too.
        if message.type in {"error", "warning"}:
            self.faults.append(f"{self.page.url}: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.url}: {response.status}")

    def check(self, name: str, landmark: str) -> None:
        """Check the page that contains the landmark, a CSS selector; `name` labels faults and screenshots.

        Pages of one name have the same elements, so that the first is checked in full.
        """
        expect(self.page.locator(landmark).first).to_be_visible()
        self.page.wait_for_load_state()
        known = name in self._names
        self._names.add(name)
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme)
            self.page.evaluate(_SETTLE)
            if os.environ.get(SCREENSHOTS):
                self.screenshot(f"{name}-{scheme}")
            if overflow := self.page.evaluate(_OVERFLOW):
                self.faults.append(f"{name}, {scheme}: {overflow} pixels too wide")
            if not known:
                self.faults += [f"{name}, {scheme}: {violation}" for violation in self._violations(scheme)]
        self.page.emulate_media(color_scheme="light")

    def _violations(self, scheme: Literal["light", "dark"]) -> list[str]:
        """Return the serious and critical accessibility violations that axe finds; dark mode has other colours."""
        rules: dict[str, Any] = {"rules": {"color-contrast": {"enabled": self.contrasts}}}
        if scheme == "dark":
            if not self.contrasts:
                return []
            rules = {"runOnly": ["color-contrast"]}
        options = {"resultTypes": ["violations"], "preload": False, **rules}
        # In dark mode the page has the script already.
        axe = Axe() if scheme == "light" else Axe("null")
        found: dict[str, Any] = axe.run(self.page, options=options).response
        return [
            f"{violation['id']}: {[node['html'] for node in violation['nodes']]}"
            for violation in found["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]

    def screenshot(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.locale}-{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path


@contextmanager
def open_browser(address: str, locale: str, folder: Path, *, contrasts: bool = True) -> Iterator[CheckedPage]:
    """Open Debian's Chromium with this locale; without it the test fails under CI and is skipped elsewhere.

    A screenshot of the page at which a test fails is saved in `folder`, or in the folder of BROWSER_PICTURES.
    """
    program = shutil.which("chromium")
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("chromium is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        pictures = Path(os.environ.get(SCREENSHOTS) or folder)
        reader = CheckedPage(browser, address, locale, pictures, contrasts=contrasts)
        try:
            yield reader
        except BaseException:
            print(f"The page is pictured in {reader.screenshot('failed')}.")
            raise
        finally:
            browser.close()
