"""The operator's picture: what may be one, and how it is sent."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from authsvc.configuration import logo

pytestmark = pytest.mark.any_database

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n"


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("logo.svg", SVG, "image/svg+xml"),
        ("logo.SVG", b"\xef\xbb\xbf\n" + SVG, "image/svg+xml"),
        ("logo.png", PNG, "image/png"),
        ("logo.jpg", b"\xff\xd8\xff", "image/jpeg"),
        ("logo.jpeg", b"\xff\xd8\xff", "image/jpeg"),
        ("logo.gif", b"GIF89a", "image/gif"),
        ("logo.webp", b"RIFF", "image/webp"),
    ],
)
def test_a_logo_is_served_with_its_media_type(
    tmp_path: Path, settings: Settings, name: str, content: bytes, kind: str
) -> None:
    settings.SERVICE_LOGO = str(logo.validated(put(tmp_path, name, content)))
    answer = Client().get("/admin/logo")
    assert (answer.status_code, answer.getvalue()) == (200, content)
    assert {name: answer[name] for name in ("Content-Type", "X-Content-Type-Options", "Cache-Control")} == {
        "Content-Type": kind,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=300",
    }


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("logo.html", b"<p>", "the extension of logo.html is not one of .svg, .png, .jpg, .jpeg, .gif, .webp"),
        ("logo.png", SVG, "logo.png is not valid PNG"),
        ("logo.svg", b"", "logo.svg is not valid SVG"),
        ("logo.png", PNG + bytes(logo.MAX_BYTES), "logo.png is larger than 256 KiB"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}$"):
        logo.validated(put(tmp_path, name, content))


def test_a_file_of_the_maximum_size_is_accepted(tmp_path: Path) -> None:
    path = put(tmp_path, "logo.png", PNG + bytes(logo.MAX_BYTES - len(PNG)))
    assert logo.validated(path) == path


def test_without_a_logo_the_view_returns_404() -> None:
    client = Client()
    assert client.get("/admin/logo").status_code == 404
    assert b"site-logo" not in client.get("/admin/login/").content


def test_the_login_page_shows_the_logo(tmp_path: Path, settings: Settings) -> None:
    settings.SERVICE_LOGO = str(put(tmp_path, "logo.svg", SVG))
    assert b'<img id="site-logo" src="/admin/logo"' in Client().get("/admin/login/").content
