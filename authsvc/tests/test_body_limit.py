"""A body over 2 MiB is refused at every path before any of it is read."""

from typing import Any

import pytest
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, load_handler
from django.test import Client, RequestFactory

from accounts.tests.contracts.clients import ContractClient
from authsvc.tests.server import Server
from authsvc.tests.test_server import CHUNKED, chunks

pytestmark = pytest.mark.any_database

LIMIT = 2 * 1024 * 1024
MULTIPART = "multipart/form-data; boundary=x"
PATHS = [
    "/admin/login/",
    "/admin/accounts/user/import/",
    "/admin/language",
    "/healthz",
    "/api/schema",
    "/static/nothing.js",
    "/nothing",
]


class UnreadableStream:
    """A body that must not be read."""

    def read(self, *args: object) -> bytes:
        pytest.fail("The body was read.")

    readline = read


def post(path: str, length: int, content_type: str = MULTIPART) -> Any:
    """Send a request with a CSRF cookie of the client's own and an unreadable body of this length."""
    client = Client(enforce_csrf_checks=True, headers={"Cookie": f"csrftoken={'a' * 32}"})
    body: dict[str, Any] = {"wsgi.input": UnreadableStream(), "CONTENT_LENGTH": str(length)}
    return client.generic("POST", path, b"", content_type, **body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("length", [LIMIT + 1, 300_000_000, 10**30])
def test_a_body_that_is_too_large_is_refused_unread(path: str, length: int) -> None:
    response = post(path, length)
    assert response.status_code == 413
    if path.startswith("/admin/"):
        assert response["Content-Type"] == "text/html; charset=utf-8"
    else:
        assert response.json()["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "The file is too large"), ("zh-CN,zh;q=0.9", "文件过大")], ids=["en", "zh"]
)
def test_the_admin_site_refuses_it_with_a_page_in_the_language_of_the_browser(language: str, heading: str) -> None:
    client = Client(headers={"Accept-Language": language})
    body: dict[str, Any] = {"wsgi.input": UnreadableStream(), "CONTENT_LENGTH": str(LIMIT + 1)}
    page = client.generic("POST", "/admin/accounts/user/import/", b"", MULTIPART, **body).content.decode()
    assert f"<h1>{heading}</h1>" in page
    assert "2 MiB" in page


@pytest.mark.parametrize("path", ["login", "nothing"])
@pytest.mark.parametrize("content_type", [MULTIPART, "application/json", "text/plain"])
def test_the_refusal_has_the_format_of_its_contract(caller: ContractClient, path: str, content_type: str) -> None:
    response = post(f"/{caller.mount}/{path}", LIMIT + 1, content_type)
    assert (response.status_code, response["Content-Type"]) == (413, caller.media_type)


@pytest.mark.parametrize("path", ["/admin/login/", "/nothing"])
def test_a_chunked_body_is_counted(server: Server, path: str) -> None:
    headers = CHUNKED.replace("application/json", MULTIPART) + f"Cookie: __Host-csrftoken={'a' * 32}\r\n"
    assert server.ask(path, headers, chunks(b" " * (LIMIT + 1), 65536)).status == 413
    assert server.ask(path, headers, chunks(b" " * LIMIT, 65536)).status in {403, 404}


def test_a_body_that_is_announced_too_large_is_not_waited_for(server: Server) -> None:
    headers = f"Content-Type: {MULTIPART}\r\nContent-Length: 300000000\r\nCookie: __Host-csrftoken={'a' * 32}\r\n"
    assert server.ask("/admin/login/", headers, b"--x\r\n").status == 413


def test_no_upload_is_written_to_disk(settings: Any) -> None:
    handlers = [load_handler(name, RequestFactory().get("/")) for name in settings.FILE_UPLOAD_HANDLERS]
    assert [type(handler) for handler in handlers] == [MemoryFileUploadHandler]
    assert settings.FILE_UPLOAD_MAX_MEMORY_SIZE >= settings.DATA_UPLOAD_MAX_MEMORY_SIZE == LIMIT


def test_an_upload_below_the_limit_is_read() -> None:
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("a.csv", b"x" * 2_000_000)})
    uploaded = request.FILES["file"]
    assert isinstance(uploaded, InMemoryUploadedFile)
    assert uploaded.size == 2_000_000
