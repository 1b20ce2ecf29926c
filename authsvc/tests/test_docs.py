"""The page that shows the description: everything that it loads is ours."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client

# A file that is served ends its request, which looks at a connection that an earlier test may have left open.
pytestmark = [pytest.mark.any_database, pytest.mark.django_db]


class Page(HTMLParser):
    """Collects what a page loads, and what is in it that its policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get("src") or values.get("href")
        if address:
            self.loaded.append(address)
        elif tag in {"script", "style"}:
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]


def served(client: Client, address: str) -> str:
    """Return a file as text, and leave it closed."""
    response = client.get(address)
    try:
        assert response.status_code == 200, address
        return response.getvalue().decode(errors="replace")
    finally:
        response.close()


@pytest.fixture
def page(client: Client) -> Page:
    return Page(client.get("/api/docs").content.decode())


def test_it_loads_four_files_of_this_service(page: Page) -> None:
    ui = "/static/drf_spectacular_sidecar/swagger-ui-dist/"
    assert page.loaded == [
        f"{ui}favicon-32x32.png",
        f"{ui}swagger-ui.css",
        f"{ui}swagger-ui-bundle.js",
        "/static/authsvc/docs.js",
    ]


def test_each_file_is_served(page: Page, client: Client) -> None:
    assert all(served(client, address) for address in page.loaded)


def test_it_has_no_inline_script_or_style(page: Page) -> None:
    assert page.inline == []


def test_its_style_sheet_loads_no_external_file(page: Page, client: Client) -> None:
    (address,) = [address for address in page.loaded if address.endswith(".css")]
    urls = re.findall(r"url\(([^)]*)\)", served(client, address))
    assert [url for url in urls if not url.strip("'\"").startswith("data:")] == []


def test_it_shows_the_description_without_an_external_validator(client: Client) -> None:
    assert 'data-schema="/api/schema"' in served(client, "/api/docs")
    assert "validatorUrl: null" in served(client, "/static/authsvc/docs.js")
