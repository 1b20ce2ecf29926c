"""What must hold when many come at once with one token; on every database that the run is for."""

from collections import Counter
from typing import Any

import pytest

from accounts.models import Session, User
from accounts.tests.tools import Api, race

pytestmark = pytest.mark.django_db(transaction=True)


def portal() -> Api:
    return Api(mount="/auth")


def log_in() -> str:
    return str(portal().login().json()["data"]["token"])


def statuses(results: list[Any]) -> Counter[Any]:
    return Counter(getattr(result, "status_code", result) for result in results)


def test_of_20_refreshes_at_once_all_get_one_successor(alice: User) -> None:
    token = log_in()
    results = race(20, lambda _: portal().post("refresh", token=token))
    assert statuses(results) == {200: 20}
    assert len({result.json()["data"]["token"] for result in results}) == 1
    assert Session.objects.get().generation == 1


def test_requests_under_way_are_answered_while_their_token_is_refreshed(alice: User) -> None:
    token = log_in()
    results = race(
        10,
        lambda number: portal().post("refresh", token=token) if number == 5 else portal().get("profile", token),
    )
    assert statuses(results) == {200: 10}


def test_a_logout_at_the_same_time_leaves_no_successor_alive(alice: User) -> None:
    token = log_in()
    results = race(10, lambda number: portal().post("logout" if number == 5 else "refresh", token=token))
    assert statuses(results).keys() <= {200, 401}
    tokens = [result.json()["data"]["token"] for result in results if result.json().get("data")]
    assert [portal().get("profile", each).status_code for each in tokens] == [401] * len(tokens)
