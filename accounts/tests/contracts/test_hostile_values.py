"""Values that are made to cost time or to break a query: what is too long is refused before anything reads it."""

import time
from typing import Any

import pytest

from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, ContractClient
from accounts.tests.tools import HERE, PASSWORD, Api

pytestmark = pytest.mark.django_db

# The work of an answer that refuses, in seconds: a generous bound, which matching a long text in steps would break.
REFUSAL_WORK = 0.2
LONG = {
    "aaa!": "a" * 99_000 + "!",
    "1.1.1.": "1." * 45_000,
    "a@a.a.": "a@" + "a." * 45_000,
    "@@@": "@" * 90_000,
    "digits": "1" * 90_000,
    "+()-": "+(-) " * 18_000,
    "url": "https://" + "a" * 45_000 + "/" * 45_000,
    "accents": "e" + "\u0301" * 45_000,
    "ligatures": "\ufdfa" * 30_000,
    "scripts": "aа" * 30_000,
}
FIELDS = {
    "native": ("register", ("username", "email", "phone", "role", "full_name", "password")),
    "hospital": ("register", ("username", "email", "phone", "role", "full_name", "department", "password")),
    "union": ("register", ("username", "phone", "role", "password")),
    "portal": ("register", ("username", "email", "nickname", "password")),
    "clinic": ("register", ("email", "phone_number", "first_name", "last_name", "password")),
}
VALID = {
    "username": "carol",
    "email": "carol@hospital.example",
    "phone": "13600136000",
    "phone_number": "13600136000",
    "full_name": "Carol",
    "first_name": "Carol",
    "last_name": "Carol",
    "password": PASSWORD,
}
ROLES = {"native": "pharmacy", "hospital": "doctor", "union": "DOCTOR"}


@pytest.fixture(autouse=True)
def _alice_is_an_administrator(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="admin")


def timed(client: ContractClient, method: str, path: str, body: dict[str, Any], token: str | None = None) -> Any:
    """Return the answer to a request that costs little; what is done once a process may delay the first of three."""
    for _ in range(3):
        before = time.thread_time()
        response = client.call(method, path, body, token)
        if time.thread_time() - before < REFUSAL_WORK:
            return response
    pytest.fail("It took too long, three times.")


@pytest.mark.parametrize("value", LONG)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_field_that_is_too_long_is_refused_without_being_read(
    client: ContractClient, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.security.hashing.make", lambda *args: pytest.fail("hashed"))
    verb, fields = FIELDS[client.name]
    for field in fields:
        body = {**VALID, "role": ROLES.get(client.name), field: LONG[value]}
        assert timed(client, "POST", verb, body).status_code in {400, 413, 422}


@pytest.mark.parametrize("value", LONG)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_login_with_a_very_long_name_or_password_is_refused_at_the_cost_of_one_hash_at_most(
    client: ContractClient, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr("accounts.security.hashers.Argon2id.encode", lambda self, password, salt: hashed.append("x"))
    for field in (*client.account, "password"):
        body = {**client.account, "password": PASSWORD, field: LONG[value]}
        assert timed(client, "POST", "login", body).status_code in {400, 401, 413, 422}
    assert len(hashed) <= 1


@pytest.mark.parametrize("value", LONG)
@pytest.mark.parametrize(
    ("number", "method", "path", "fields"),
    [
        (0, "PATCH", "me", ("email", "phone", "avatar_url", "nickname")),
        (1, "PUT", "profile", ("email", "phone", "avatar_url", "full_name", "password")),
    ],
    ids=["native", "hospital"],
)
def test_a_change_that_is_too_long_is_refused_without_being_read(
    number: int, method: str, path: str, fields: tuple[str, ...], value: str
) -> None:
    client = CLIENTS[number]
    token = client.token(client.login().json())
    for field in fields:
        assert timed(client, method, path, {field: LONG[value]}, token).status_code in {400, 413}


LISTS = {
    "native users": ("native", "users", "page_size"),
    "native login-attempts": ("native", "login-attempts", "page_size"),
    "native sessions": ("native", "sessions", "page_size"),
    "hospital users": ("hospital", "users", "per_page"),
}
QUERIES = [
    *(
        "search=%00",
        "search=a%00b",
        "search=%ED%A0%80",
        "search=%FF",
        "search=%",
        "search=%25_%5C'",
        "search='%20OR%201=1--",
    ),
    *("role=%00", "role[]=admin", "role=admin&role=doctor", "department=%00", "username=%00", "ip=%00", "ip=999.1.1.1"),
    *("contract=%00", "status=%00", "since=%00", "since=9999-99-99", "until=0001-01-01T00:00:00%2B14:00"),
    *(
        "until=9999-12-31T23:59:59-14:00",
        "since=1e400",
        "ordering=password",
        "ordering=-stamp,password",
        "ordering=%00",
    ),
    *(
        "is_active=%00",
        "awaits_approval=maybe",
        "page=-1",
        "page=0",
        "page=1e30",
        "page=" + "9" * 40,
        "page=" + "9" * 5000,
    ),
    *("page=%00", "page=1.5", "page=NaN", "page=last", "page=１", "{size}=1000000000", "{size}=0", "{size}=-1"),
    *("{size}=1e9", "{size}=%00", "{size}=" + "9" * 5000, "{size}=１", "password=x&stamp=x&user__password=x", "&&&==&"),
    *(
        "search=" + "x" * 10_000,
        "search=" + "%E6%B5%8B" * 2_000,
        "search=" + "%25" * 10_000,
        "username=" + "x" * 10_000,
    ),
    "&".join(f"a{number}=1" for number in range(2_000)),
]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:30])
def test_a_list_answers_any_query_with_a_page_or_a_refusal(name: str, query: str) -> None:
    contract, path, size = LISTS[name]
    client = next(client for client in CLIENTS if client.name == contract)
    token = client.token(client.login().json())
    response = client.call("GET", f"{path}?{query.replace('{size}', size)}", None, token)
    assert response.status_code in {200, 400, 404}
    assert b"argon2" not in response.content
    rows = response.json().get("results", response.json().get("data", {}) or {})
    assert len(rows if isinstance(rows, list) else rows.get("items", [])) <= 100


@pytest.mark.parametrize(
    "query",
    ["ip=999.1.1.1", "ip=nonsense", "since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00", "since=x"],
)
def test_an_address_or_a_time_that_is_none_is_invalid_input(query: str) -> None:
    response = Api(HERE).get(f"login-attempts?{query}", Api(HERE).tokens()["access_token"])
    body = response.json()
    assert (response.status_code, body["code"], list(body["errors"])) == (
        400,
        "invalid_input",
        [query.partition("=")[0]],
    )


def test_a_page_has_a_hundred_rows_at_most(alice: User) -> None:
    User.objects.bulk_create(User(username=f"person-{number}", password="!") for number in range(120))
    token = Api(HERE).tokens()["access_token"]
    body = Api(HERE).get("users?page_size=1000000000", token).json()
    assert (body["count"], len(body["results"])) == (121, 100)
