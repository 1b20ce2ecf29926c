"""Values that are made to cost time or to break a query: what is too long is refused before anything reads it."""

import time
from typing import Any

import pytest

from accounts.models import User
from accounts.tests.contracts.clients import CLIENTS, HOSPITAL, NATIVE, ContractClient
from accounts.tests.tools import PASSWORD, Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("administrator")]

# The processor time of a refusal, in seconds: a generous bound, which matching a long text in steps would exceed.
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
every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


@pytest.fixture
def administrator(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="admin")


def require_quick_refusal(
    client: ContractClient, method: str, path: str, body: dict[str, Any], token: str | None = None
) -> None:
    """Fail unless a request is refused at little cost; what is done once a process may delay the first of three."""
    for _ in range(3):
        before = time.thread_time()
        response = client.call(method, path, body, token)
        if time.thread_time() - before < REFUSAL_WORK:
            assert response.status_code in {400, 401, 413, 422}, (path, response.content)
            return
    pytest.fail("It took too long, three times.")


@every_client
def test_a_registration_with_a_very_long_field_is_refused_without_a_hash(
    client: ContractClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.security.hashing.make", lambda *args: pytest.fail("hashed"))
    body = {**client.registration, "password": PASSWORD}
    for name in body:
        for value in LONG.values():
            require_quick_refusal(client, "POST", "register", {**body, name: value})


@pytest.mark.parametrize("value", LONG)
@every_client
def test_a_login_with_a_very_long_field_is_refused_at_the_cost_of_one_hash_at_most(
    client: ContractClient, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr("accounts.security.hash_kinds.Argon2.derive", lambda *args: hashed.append("x"))
    for name in (*client.login_fields, "password"):
        require_quick_refusal(client, "POST", "login", {**client.login_fields, "password": PASSWORD, name: LONG[value]})
    assert len(hashed) <= 1


@pytest.mark.parametrize(
    ("client", "method", "path", "fields"),
    [
        (NATIVE, "PATCH", "me", ("email", "phone", "avatar_url", "nickname")),
        (HOSPITAL, "PUT", "profile", ("email", "phone", "avatar_url", "full_name", "password")),
    ],
    ids=["native", "hospital"],
)
def test_a_change_with_a_very_long_field_is_refused(
    client: ContractClient, method: str, path: str, fields: tuple[str, ...]
) -> None:
    token = client.log_in()
    for name in fields:
        for value in LONG.values():
            require_quick_refusal(client, method, path, {name: value}, token)


QUERIES = [
    *("search=%00", "search=a%00b", "search=%ED%A0%80", "search=%FF", "search=%", "search=%25_%5C'"),
    *("search='%20OR%201=1--", "role=%00", "role[]=admin", "role=admin&role=doctor", "department=%00"),
    *("username=%00", "ip=%00", "ip=999.1.1.1", "contract=%00", "status=%00", "since=%00", "since=9999-99-99"),
    *("until=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00", "since=1e400", "ordering=password"),
    *("ordering=-stamp,password", "ordering=%00", "is_active=%00", "awaits_approval=maybe", "page=-1", "page=0"),
    *("page=1e30", "page=" + "9" * 40, "page=" + "9" * 5000, "page=%00", "page=1.5", "page=NaN", "page=last"),
    *("page=１", "{size}=1000000000", "{size}=0", "{size}=-1", "{size}=1e9", "{size}=%00", "{size}=" + "9" * 5000),
    *("{size}=１", "password=x&stamp=x&user__password=x", "&&&==&", "search=" + "x" * 10_000),
    *("search=" + "%E6%B5%8B" * 2_000, "search=" + "%25" * 10_000, "username=" + "x" * 10_000),
    "&".join(f"a{number}=1" for number in range(2_000)),
]


@pytest.mark.parametrize(
    ("client", "path", "size"),
    [(client, path, size) for client in CLIENTS for path, size in client.lists.items()],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_list_answers_any_query_with_a_page_or_a_refusal(client: ContractClient, path: str, size: str) -> None:
    token = client.log_in()
    for query in QUERIES:
        response = client.call("GET", f"{path}?{query.replace('{size}', size)}", None, token)
        assert response.status_code in {200, 400, 404}, (query[:30], response.content)
        assert b"argon2" not in response.content
        rows = response.json().get("results", response.json().get("data", {}) or {})
        assert len(rows if isinstance(rows, list) else rows.get("items", [])) <= 100


@pytest.mark.parametrize(
    "query",
    ["ip=999.1.1.1", "ip=nonsense", "since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00", "since=x"],
)
def test_an_invalid_address_or_time_in_a_query_is_invalid_input(query: str) -> None:
    response = Api().get(f"login-attempts?{query}", NATIVE.log_in())
    body = response.json()
    name = query.partition("=")[0]
    assert (response.status_code, body["code"], list(body["errors"])) == (400, "invalid_input", [name])


def test_a_page_has_a_hundred_rows_at_most() -> None:
    User.objects.bulk_create(User(username=f"user-{number}", password="!") for number in range(120))
    body = Api().get("users?page_size=1000000000", NATIVE.log_in()).json()
    assert (body["count"], len(body["results"])) == (121, 100)
