"""Requests that no client of good will sends: each is told so in the contract's words, at once, and harms nothing."""

import gzip
import json
import time
from typing import Any

import pytest

from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import HERE, PASSWORD, Api

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.django_db,
    pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name),
]

Answer = tuple[int, dict[str, Any]]
# Far more than any of this takes, and far less than work without a bound would.
LONGEST_WORK = 1.0


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="doctor")


def native(status: int, title: str, detail: str, code: str) -> Answer:
    return status, {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}


def hospital(status: int, message: str) -> Answer:
    return status, {"success": False, "message": message}


def union(status: int, message: str) -> Answer:
    return status, {"success": False, "code": status, "message": message, "data": None}


def portal(status: int, message: str) -> Answer:
    return status, {"code": status, "message": message, "data": None}


MALFORMED: dict[str, Answer] = {
    # The native contract says in `detail` what is wrong with the body, so that is compared by its code alone.
    "native": native(400, "Bad Request", "…", "malformed_body"),
    "hospital": hospital(400, "Invalid JSON"),
    "union": union(400, "请求参数错误：请求体不是有效的JSON对象"),
    "portal": portal(400, "请求参数错误：请求体不是有效的JSON对象"),
    "clinic": (400, {"detail": "The body is not JSON."}),
}
TOO_LARGE: dict[str, Answer] = {
    "native": native(
        413, "Request Entity Too Large", "The body is larger than anything this service takes.", "body_too_large"
    ),
    "hospital": hospital(413, "Request body is too large"),
    "union": union(413, "请求体过大"),
    "portal": portal(413, "请求体过大"),
    "clinic": (413, {"detail": "The body is too large."}),
}
UNSUPPORTED: dict[str, Answer] = {
    "native": native(415, "Unsupported Media Type", "Send the body as application/json.", "unsupported_media_type"),
    "hospital": hospital(415, "Content-Type must be application/json"),
    "union": union(415, "请求体类型必须是application/json"),
    "portal": portal(415, "请求体类型必须是application/json"),
    "clinic": (415, {"detail": "Unsupported Media Type"}),
}
# What a header that is no bearer token comes to, and a token that is none.
NO_BEARER: dict[str, Answer] = {
    "native": native(401, "Unauthorized", "Send the access token as Authorization: Bearer <token>.", "token_missing"),
    "hospital": hospital(401, "Invalid token format"),
    "union": union(401, "未授权访问"),
    "portal": portal(401, "未认证或token无效"),
    "clinic": (401, {"detail": "Not authenticated"}),
}
NO_TOKEN_OF_OURS: dict[str, Answer] = {
    "native": native(401, "Unauthorized", "This token is not valid here. Log in again.", "token_invalid"),
    "hospital": hospital(401, "Invalid token"),
    "union": union(401, "未授权访问"),
    "portal": portal(401, "未认证或token无效"),
    "clinic": (401, {"detail": "Could not validate credentials"}),
}


def send(client: ContractClient, verb: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    """Send a body as it is, and return the answer, which must come at once."""
    http = Api(HERE).client
    before = time.thread_time()
    response = http.generic("POST", f"/{client.mount}/{verb}", body, content_type=content_type, headers=headers)
    assert time.thread_time() - before < LONGEST_WORK
    return response


def told(response: Any) -> Answer:
    body = response.json()
    if body.get("code") == "malformed_body":
        body["detail"] = "…"
    return response.status_code, body


def good_login(client: ContractClient) -> bytes:
    return json.dumps({**client.account, "password": PASSWORD}).encode()


MALFORMED_BODIES = {
    "unfinished": b'{"username": "a"',
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "null": b"null",
    "white space": b"   ",
    "two objects": b"{}{}",
    "a comma too many": b'{"a": 1,}',
    "a comment": b'{"a": 1} // b',
    "single quotes": b"{'a': 1}",
    "a key twice": b'{"username": "a", "username": "b"}',
    "a key twice, written differently": b'{"password": "a", "p\\u0061ssword": "b"}',
    "a key twice inside": b'{"x": {"y": [{"a": 1, "a": 2}]}}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": [-Infinity]}',
    "1e400": b'{"a": 1e400}',
    "-1e400": b'{"a": -1e400}',
    "an integer beyond Python's own limit": b'{"a": ' + b"9" * 5000 + b"}",
    "an integer of 31 digits": b'{"a": ' + b"9" * 31 + b"}",
    "a leading zero": b'{"a": 01}',
    "21 deep": b'{"a":' * 21 + b"1" + b"}" * 21,
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
    "gzip that does not say so": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("verb", ["login", "register"])
@pytest.mark.parametrize("body", MALFORMED_BODIES)
def test_a_body_that_is_no_json_object_in_utf_8_is_malformed(client: ContractClient, verb: str, body: str) -> None:
    response = send(client, verb, MALFORMED_BODIES[body])
    assert (told(response), response["Content-Type"]) == (MALFORMED[client.name], client.media_type)


def test_a_body_may_be_twenty_deep(client: ContractClient) -> None:
    inside = b'{"a":' * 19 + b"1" + b"}" * 19
    body = good_login(client)[:-1] + b', "unknown": ' + inside + b"}"
    assert send(client, "login", body).status_code == 200


@pytest.mark.parametrize(
    "charset",
    [
        *("utf-16", "utf-7", "latin-1", "gb18030", "zlib", "bz2_codec", "rot13", "unicode_escape", "idna", "undefined"),
        *("nonsense", "../../x", "x" * 3000, "é", ""),
    ],
    ids=lambda charset: charset[:20],
)
def test_a_body_that_says_it_is_in_another_charset_is_malformed(client: ContractClient, charset: str) -> None:
    response = send(client, "login", good_login(client), f"application/json; charset={charset}")
    assert told(response) == MALFORMED[client.name]


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
def test_json_may_be_announced_in_several_ways(client: ContractClient, content_type: str) -> None:
    assert send(client, "login", good_login(client), content_type).status_code == 200


@pytest.mark.parametrize("verb", ["login", "register"])
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
def test_a_body_of_another_type_is_refused(client: ContractClient, verb: str, content_type: str) -> None:
    assert told(send(client, verb, good_login(client), content_type)) == UNSUPPORTED[client.name]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense", ""])
def test_a_compressed_body_is_refused(client: ContractClient, coding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert told(send(client, "login", bomb, **{"Content-Encoding": coding})) == UNSUPPORTED[client.name]


def test_a_body_that_says_it_is_not_compressed_is_read(client: ContractClient) -> None:
    assert send(client, "login", good_login(client), **{"Content-Encoding": "identity"}).status_code == 200


@pytest.mark.parametrize("verb", ["login", "register"])
@pytest.mark.parametrize(
    "body",
    [b'{"password": "' + b"x" * 100_000 + b'"}', b" " * 100_001, b"\xff" * 3_000_000, b"[" * 3_000_000],
    ids=["a long field", "one byte too many", "3 MB of rubbish", "3 MB of brackets"],
)
def test_a_body_that_is_too_large_is_refused(client: ContractClient, verb: str, body: bytes) -> None:
    assert told(send(client, verb, body)) == TOO_LARGE[client.name]


def test_a_body_of_just_the_longest_length_is_read(client: ContractClient) -> None:
    assert send(client, "login", good_login(client).ljust(100_000)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer\u00a0{token}",
        "Bearer\t{token}",
        "Bearer,{token}",
        "Bearer={token}",
        "{token}",
        "Token {token}",
        "Basic {token}",
        "Digest username=x, {token}",
        "Bearer{token}",
        '"Bearer" {token}',
    ],
)
def test_what_is_no_bearer_scheme_is_no_token(client: ContractClient, header: str) -> None:
    response = client.ask(None, Authorization=header.format(token=client.log_in()))
    assert (told(response), response["WWW-Authenticate"]) == (NO_BEARER[client.name], "Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer \u00a0{token}",
        "Bearer {token}\u00a0",
        "Bearer \x0b{token}",
        "Bearer {token}\x85",
        "Bearer Bearer {token}",
        "Bearer {token},{token}",
        "Bearer {token}, Bearer {token}",
        "Bearer {token} {token}",
        'Bearer "{token}"',
        "Bearer token={token}",
        "Bearer null",
        "Bearer undefined",
        "Bearer Bearer",
        "Bearer ,",
        "Bearer ..",
        "Bearer " + "." * 4000,
        "Bearer " + "x" * 64_000,
    ],
    ids=lambda header: repr(header[:30]),
)
def test_what_is_not_just_a_token_of_ours_is_refused(client: ContractClient, header: str) -> None:
    response = client.ask(None, Authorization=header.format(token=client.log_in()))
    assert told(response) == NO_TOKEN_OF_OURS[client.name]


@pytest.mark.parametrize(
    "cookie",
    ["a=" + "x" * 64_000, "=;=;=", ";".join(f"a{number}=1" for number in range(3000)), "sessionid=\x00\xff", '"\\'],
    ids=["64 kB", "no names", "3,000", "not a key", "quotes"],
)
def test_a_cookie_means_nothing(client: ContractClient, cookie: str) -> None:
    answers = [client.ask(None, Cookie=cookie), client.ask(client.log_in(), Cookie=cookie)]
    assert [answer.status_code for answer in answers] == [401, 200]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS", "QUERY", "X" * 50])
def test_a_strange_method_is_not_allowed(client: ContractClient, method: str) -> None:
    for path in ("login", client.me):
        assert client.call(method, path).status_code == 405


@pytest.mark.parametrize(
    "override", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"], ids=lambda name: name
)
def test_a_method_cannot_be_overridden(client: ContractClient, override: str) -> None:
    assert client.call("GET", "login", **{override: "POST"}).status_code == 405
