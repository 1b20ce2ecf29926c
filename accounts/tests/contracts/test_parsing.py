"""How every contract reads a body and an `Authorization` header: shared code, tested once."""

import gzip
import time
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.test import RequestFactory
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from accounts.contracts.authentication import bearer_token
from accounts.contracts.negotiation import IgnoreAcceptNegotiation
from accounts.contracts.parsing import DEEPEST, LONGEST_BODY, LONGEST_NUMBER, StrictJSONParser
from accounts.errors import TokenMalformed, TokenMissing

pytestmark = pytest.mark.any_database

# In seconds of processor time: far more than any of this takes, and far less than work without a bound would.
LONGEST_WORK = 1.0
JSON = "application/json"


def request(body: bytes, content_type: str = JSON, **headers: str) -> Request:
    plain = RequestFactory().generic("POST", "/", body, content_type=content_type, headers=headers)
    return Request(plain, parsers=[StrictJSONParser()], negotiator=IgnoreAcceptNegotiation())


def parsed(body: bytes, content_type: str = JSON, **headers: str) -> Any:
    """Return what a view finds in `request.data`; parsing must take little time whatever the body is."""
    before = time.thread_time()
    try:
        return request(body, content_type, **headers).data
    finally:
        assert time.thread_time() - before < LONGEST_WORK


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


MALFORMED_BODIES = {
    "unfinished": b'{"username": "a"',
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "null": b"null",
    "white space": b"   ",
    "two objects": b"{}{}",
    "a trailing comma": b'{"a": 1,}',
    "a comment": b'{"a": 1} // b',
    "single quotes": b"{'a': 1}",
    "a duplicate key": b'{"username": "a", "username": "b"}',
    "a duplicate key, written differently": b'{"password": "a", "p\\u0061ssword": "b"}',
    "a duplicate key inside": b'{"x": {"y": [{"a": 1, "a": 2}]}}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": [-Infinity]}',
    "1e400": b'{"a": 1e400}',
    "-1e400": b'{"a": -1e400}',
    "an integer beyond Python's limit": b'{"a": ' + b"9" * 5000 + b"}",
    "an integer one digit too long": b'{"a": ' + b"9" * (LONGEST_NUMBER + 1) + b"}",
    "a leading zero": b'{"a": 01}',
    "one level too deep": nested(DEEPEST + 1),
    "arrays 50,000 deep": b"[" * 50_000,
    "arrays 49,000 deep and closed": b"[" * 49_000 + b"]" * 49_000,
    "objects 16,000 deep": b'{"a":' * 16_000,
    "not UTF-8": b'{"username": "\xff"}',
    "overlong UTF-8": b'{"username": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"username": "\xed\xa0\x80"}',
    "UTF-8 with a BOM": b"\xef\xbb\xbf{}",
    "UTF-16 with a BOM": '{"username": "a"}'.encode("utf-16"),
    "UTF-16 little endian": '{"username": "a"}'.encode("utf-16-le"),
    "UTF-16 big endian": '{"username": "a"}'.encode("utf-16-be"),
    "UTF-32 with a BOM": '{"username": "a"}'.encode("utf-32"),
    "UTF-32 big endian": '{"username": "a"}'.encode("utf-32-be"),
    "GB 18030": '{"username": "王"}'.encode("gb18030"),
    "NUL": b"\x00",
    "a control character in a string": b'{"username": "a\nb"}',
    "gzip without a Content-Encoding": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("body", MALFORMED_BODIES)
def test_a_body_that_is_no_json_object_in_utf_8_is_malformed(body: str) -> None:
    with pytest.raises(ParseError):
        parsed(MALFORMED_BODIES[body])


def test_the_deepest_object_and_the_longest_integer_are_read() -> None:
    assert parsed(nested(DEEPEST))
    assert parsed(b'{"a": ' + b"9" * LONGEST_NUMBER + b"}") == {"a": int("9" * LONGEST_NUMBER)}


@pytest.mark.parametrize(
    "charset",
    [
        *("utf-16", "utf-7", "latin-1", "gb18030", "zlib", "bz2_codec", "rot13", "unicode_escape", "idna", "undefined"),
        *("nonsense", "../../x", "x" * 3000, "é", ""),
    ],
    ids=lambda charset: charset[:20],
)
def test_a_body_in_another_charset_is_malformed(charset: str) -> None:
    with pytest.raises(ParseError):
        parsed(b"{}", f"application/json; charset={charset}")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'application/json; charset="utf-8"',
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/json ; odata=verbose",
        "application/json;;;",
    ],
)
def test_the_media_type_of_json_has_several_spellings(content_type: str) -> None:
    assert parsed(b'{"a": 1}', content_type) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=" + "x" * 300,
        "application/xml",
        "application/problem+json",
        "application/json, application/json",
        "application/json/x",
        "; application/json",
        "application",
        "*/*",
        "x" * 5000,
    ],
    ids=lambda content_type: content_type[:40] or "none",
)
def test_a_body_of_another_media_type_is_unsupported(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        parsed(b"{}", content_type)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense", ""])
def test_a_compressed_body_is_unsupported(coding: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        parsed(gzip.compress(b" " * 10_000_000), **{"Content-Encoding": coding})


def test_a_body_with_the_identity_coding_is_read() -> None:
    assert parsed(b'{"a": 1}', **{"Content-Encoding": "identity"}) == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [b'{"a": "' + b"x" * LONGEST_BODY + b'"}', b" " * (LONGEST_BODY + 1), b"\xff" * 3_000_000, b"[" * 3_000_000],
    ids=["a long field", "one byte too many", "3 MB of other bytes", "3 MB of brackets"],
)
def test_a_body_that_is_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(RequestDataTooBig):
        parsed(body)


def test_a_body_of_the_longest_length_is_read() -> None:
    assert parsed(b"{}".ljust(LONGEST_BODY)) == {}


def test_a_body_that_is_shorter_than_its_content_length_is_malformed() -> None:
    short = request(b"{}")
    short.META["CONTENT_LENGTH"] = "3"
    with pytest.raises(ParseError):
        short.data  # noqa: B018  # Reading it parses the body.


def bearer(header: str) -> str:
    return bearer_token(Request(RequestFactory().get("/", HTTP_AUTHORIZATION=header)))


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "Bearer  a.b.c "])
def test_the_scheme_has_any_case_and_spaces_around_the_token_do_not_count(header: str) -> None:
    assert bearer(header) == "a.b.c"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer\u00a0a.b.c",
        "Bearer\ta.b.c",
        "Bearer,a.b.c",
        "Bearer=a.b.c",
        "a.b.c",
        "Token a.b.c",
        "Basic a.b.c",
        "Digest username=x, a.b.c",
        "Bearera.b.c",
        '"Bearer" a.b.c',
    ],
)
def test_a_header_of_another_scheme_is_malformed(header: str) -> None:
    with pytest.raises(TokenMalformed):
        bearer(header)


@pytest.mark.parametrize("header", ["Bearer ", "Bearer    "])
def test_a_header_without_a_token_is_a_missing_token(header: str) -> None:
    with pytest.raises(TokenMissing):
        bearer(header)


def test_a_request_without_the_header_has_no_token() -> None:
    with pytest.raises(TokenMissing):
        bearer_token(Request(RequestFactory().get("/?access_token=a.b.c", headers={"Cookie": "token=a.b.c"})))


@pytest.mark.parametrize(
    "token", ["\u00a0a.b.c", "a.b.c\u00a0", "\x0ba.b.c", "a.b.c\x85", "Bearer a.b.c", "a.b.c, Bearer a.b.c", "a b"]
)
def test_what_follows_the_scheme_is_the_token_unchanged(token: str) -> None:
    assert bearer(f"Bearer {token}") == token
