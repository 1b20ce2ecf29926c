"""The administrators' list."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.tools import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(api: Api, alice: User, bob: User, head: User) -> str:
    return str(api.login("head").json()["data"]["token"])


def users(api: Api, token: str, query: str = "") -> tuple[list[str], dict[str, Any]]:
    response = api.get(f"users{query}", token)
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    return [item["username"] for item in data["items"]], data["pagination"]


def test_only_administrators_read_it(api: Api, alice: User) -> None:
    response = api.get("users", api.login().json()["data"]["token"])
    assert (response.status_code, response.json()) == (403, {"success": False, "message": "Insufficient permissions"})


def test_the_newest_comes_first(api: Api, token: str) -> None:
    assert users(api, token) == (["head", "bob", "alice"], {"total": 3, "page": 1, "per_page": 10, "pages": 1})


def test_a_page_of_it(api: Api, token: str) -> None:
    found = users(api, token, "?page=2&per_page=2")
    assert found == (["alice"], {"total": 3, "page": 2, "per_page": 2, "pages": 2})


@pytest.mark.parametrize("page", ["3", "1000000000", "9" * 30, "9" * 5000])
def test_a_page_past_the_end_is_empty(api: Api, token: str, page: str) -> None:
    names, pagination = users(api, token, f"?page={page}&per_page=2")
    assert (names, pagination) == (
        [],
        {"total": 3, "page": min(int(page[:12]), 10**9), "per_page": 2, "pages": 2},
    )


@pytest.mark.parametrize("value", ["", "0", "-1", "x", "1.5", "1e3", "²", "٣", "%00", "NaN"])
def test_an_invalid_page_is_the_first_page_of_ten(api: Api, token: str, value: str) -> None:
    _names, pagination = users(api, token, f"?page={value}&per_page={value}")
    assert pagination == {"total": 3, "page": 1, "per_page": 10, "pages": 1}


@pytest.mark.parametrize("per_page", ["101", "1000000000", "9" * 30])
def test_a_page_has_100_users_at_most(api: Api, token: str, per_page: str) -> None:
    assert users(api, token, f"?per_page={per_page}")[1]["per_page"] == 100


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?role=doctor", ["bob"]),
        ("?role=nothing", []),
        ("?role=", ["head", "bob", "alice"]),
        ("?search=ALI", ["alice"]),
        ("?search=zhang", ["alice"]),
        ("?search=Hospital.Example", ["head", "alice"]),
        ("?search=13800138000", []),
        ("?search=%25", []),
        ("?search=_", []),
        ("?search=' OR 1=1--", []),
        ("?search=hospital&role=admin", ["head"]),
    ],
)
def test_it_is_searched_and_filtered(api: Api, token: str, query: str, names: list[str]) -> None:
    assert users(api, token, query)[0] == names


def test_without_a_hit_there_is_no_page(api: Api, token: str) -> None:
    assert users(api, token, "?role=nothing") == ([], {"total": 0, "page": 1, "per_page": 10, "pages": 0})


@pytest.mark.parametrize("query", ["?search=%00", "?role=%00", "?search=" + "x" * 10_000])
def test_what_no_database_can_look_for_is_refused(api: Api, token: str, query: str) -> None:
    response = api.get(f"users{query}", token)
    assert response.status_code == 400
    assert response.json()["message"].startswith(f"Field {query[1:].split('=')[0]} is invalid: ")
