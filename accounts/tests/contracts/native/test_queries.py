"""The query parameters of the native contract's lists: what is not a value of the parameter is refused by its name."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
import time_machine

from accounts.models import User
from accounts.tests.tools import Api

pytestmark = pytest.mark.django_db

LISTS = ["sessions", "users", "login-attempts", "security-events"]
NOT_POSITIVE = ["abc", "0", "-3", "", "1.5", "1e3", "last", "\uff11", " 1", "00", "+1"]
NOT_BOOLEAN = ["no", "off", "bogus", "yes", "1", "0", "True", "FALSE", "null", "", "true%20"]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def token(head: User, api: Api) -> str:
    with time_machine.travel(NOON, tick=False):
        api.login("head", "Wrong-horse-8")
    return str(api.tokens("head")["access_token"])


def refused(response: Any, *names: str) -> bool:
    """Return whether the response is 400 and names these parameters."""
    body = response.json()
    return (response.status_code, body["code"], list(body["errors"])) == (400, "invalid_input", list(names))


@pytest.mark.any_database
@pytest.mark.parametrize("path", LISTS)
def test_what_is_not_a_positive_integer_is_refused(api: Api, token: str, path: str) -> None:
    queries = list(product(("page", "page_size"), NOT_POSITIVE))
    accepted = [query for query in queries if not refused(api.get(f"{path}?{'='.join(query)}", token), query[0])]
    assert accepted == []


@pytest.mark.any_database
def test_both_parameters_of_a_page_are_named(api: Api, token: str) -> None:
    assert refused(api.get("users?page=x&page_size=x", token), "page", "page_size")


@pytest.mark.any_database
@pytest.mark.parametrize("path", LISTS)
def test_a_number_with_leading_zeros_is_a_number(api: Api, token: str, path: str) -> None:
    assert api.get(f"{path}?page=01&page_size=02", token).status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize("name", ["is_active", "awaits_approval"])
def test_what_is_not_a_boolean_is_refused(api: Api, token: str, name: str) -> None:
    assert [value for value in NOT_BOOLEAN if not refused(api.get(f"users?{name}={value}", token), name)] == []


@pytest.mark.parametrize(("value", "count"), [("true", 1), ("false", 0)])
def test_a_boolean_selects(api: Api, token: str, value: str, count: int) -> None:
    assert api.get(f"users?is_active={value}", token).json()["count"] == count


@pytest.mark.parametrize("offset", ["-16:00", "%2B16:00", "-23:59", "%2B23:59", "-15:59"])
def test_a_time_may_have_any_offset_of_iso_8601(api: Api, token: str, offset: str) -> None:
    response = api.get(f"login-attempts?since=2026-05-03T00:00:00{offset}&until=2026-05-06T00:00:00{offset}", token)
    assert [attempt["at"] for attempt in response.json()["results"]] == ["2026-05-04T12:00:00Z"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("since=2026-05-03T20:00:00-16:00&until=2026-05-05T00:00:00Z", 1),
        ("since=2026-05-03T20:00:01-16:00&until=2026-05-05T00:00:00Z", 0),
        ("until=2026-05-03T20:00:00-16:00", 0),
        ("until=2026-05-03T20:00:01-16:00", 1),
    ],
)
def test_a_time_is_compared_as_the_instant_that_it_names(api: Api, token: str, query: str, count: int) -> None:
    assert api.get(f"login-attempts?{query}", token).json()["count"] == count
