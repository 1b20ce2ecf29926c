"""Facts about requests with one token that are served at the same time, on every database."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import Session
from accounts.tests.races import Round, race_rounds, statuses
from accounts.tests.tools import PASSWORD
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)

MOUNT = "/auth"


def log_in(each: Round) -> str:
    answer = each.api(MOUNT).post("login", {"username": each.person.username, "password": PASSWORD})
    return str(answer.json()["data"]["token"])


@race_rounds(8)
def test_of_8_refreshes_one_rotates_and_all_get_its_successor(each: Round) -> None:
    token = log_in(each)
    results = each.at_once(lambda _: each.api(MOUNT).post("refresh", token=token))
    assert statuses(results) == {200: 8}
    assert len({result.json()["data"]["token"] for result in results}) == 1
    assert Session.objects.get(user=each.person).generation == 1


@race_rounds(6)
def test_requests_under_way_are_answered_while_their_token_is_refreshed(each: Round) -> None:
    token = log_in(each)
    results = each.at_once(
        lambda n: each.api(MOUNT).get("profile", token) if n else each.api(MOUNT).post("refresh", token=token)
    )
    assert statuses(results) == {200: 6}


@race_rounds(6)
def test_after_a_logout_no_successor_is_valid(each: Round) -> None:
    token = log_in(each)
    results = each.at_once(lambda n: each.api(MOUNT).post("refresh" if n else "logout", token=token))
    assert results[0].status_code == 200
    assert statuses(results[1:]).keys() <= {200, 401}
    tokens = [token, *(result.json()["data"]["token"] for result in results if result.json().get("data"))]
    assert [each.api(MOUNT).get("profile", one).status_code for one in tokens] == [401] * len(tokens)
    assert [each.api(MOUNT).post("refresh", token=one).status_code for one in tokens] == [401] * len(tokens)


@race_rounds(6)
def test_of_6_uses_of_a_spent_token_at_once_one_is_recorded(each: Round) -> None:
    token = log_in(each)
    each.api(MOUNT).post("refresh", token=token)
    Session.objects.filter(user=each.person).update(rotated_at=F("rotated_at") - timedelta(seconds=11))
    results = each.at_once(
        lambda n: each.api(MOUNT).get("profile", token) if n % 2 else each.api(MOUNT).post("refresh", token=token)
    )
    assert statuses(results) == {401: 6}
    assert SecurityEvent.objects.filter(user=each.person, event="session:refresh:reuse").count() == 1
