"""Facts about requests that are served at the same time, on every database."""

from typing import Any

import pytest

from accounts.models import Session, User
from accounts.tests.contracts.clinic.tools import MOUNT
from accounts.tests.races import Round, answered, race, race_rounds, statuses
from accounts.tests.tools import PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db(transaction=True)


def log_in(each: Round, password: str = PASSWORD) -> Any:
    return each.api(MOUNT).post("login", {"email": each.person.email, "password": password})


def token(each: Round) -> str:
    return str(log_in(each).json()["access_token"])


@race_rounds(8)
def test_of_8_refreshes_one_rotates_and_all_get_its_successor(each: Round) -> None:
    spent = token(each)
    results = each.at_once(lambda _: each.api(MOUNT).post("refresh_token", token=spent))
    assert statuses(results) == {200: 8}
    assert len({result.content for result in results}) == 1
    assert Session.objects.get(user=each.person).generation == 1
    assert not SecurityEvent.objects.filter(user=each.person).exists()


@race_rounds(6)
def test_after_a_logout_no_successor_is_valid(each: Round) -> None:
    spent = token(each)
    results = each.at_once(lambda n: each.api(MOUNT).post("refresh_token" if n else "logout", token=spent))
    assert results[0].status_code == 200
    assert statuses(results[1:]).keys() <= {200, 403}
    tokens = {spent, *(result.json()["access_token"] for result in answered(results[1:], 200))}
    assert [each.api(MOUNT).get("me", one).status_code for one in tokens] == [401] * len(tokens)
    assert [each.api(MOUNT).post("refresh_token", token=one).status_code for one in tokens] == [403] * len(tokens)


@race_rounds(4)
def test_of_4_resets_one_wins_and_ends_every_session(each: Round) -> None:
    before = token(each)

    def reset(number: int) -> Any:
        body = {"email": each.person.email, "old_password": PASSWORD, "new_password": f"Correct-horse-{number}"}
        return each.api(MOUNT).post("reset_password", body)

    results = each.at_once(reset)
    assert statuses(results) == {200: 1, 400: 3}
    each.person.refresh_from_db()
    stored = [each.person.check_password(f"Correct-horse-{number}") for number in range(4)]
    assert stored == [result.status_code == 200 for result in results]
    assert each.api(MOUNT).get("me", before).status_code == 401


@race_rounds(5)
def test_a_reset_ends_the_sessions_of_the_old_password(each: Round) -> None:
    body = {"email": each.person.email, "old_password": PASSWORD, "new_password": "Correct-horse-8"}
    results = each.at_once(lambda n: log_in(each) if n else each.api(MOUNT).post("reset_password", body))
    assert results[0].status_code == 200
    assert statuses(results[1:]).keys() <= {200, 400}
    tokens = [result.json()["access_token"] for result in answered(results[1:], 200)]
    assert [each.api(MOUNT).get("me", one).status_code for one in tokens] == [401] * len(tokens)
    assert log_in(each, "Correct-horse-8").status_code == 200


def test_of_10_registrations_with_one_local_part_all_get_a_name(db: None) -> None:
    results = race(
        10,
        lambda number: Api(mount=MOUNT).post(
            "register",
            {
                "email": f"wang@host{number}.example",
                "password": "Secret123",
                "first_name": "A",
                "last_name": "B",
                "phone_number": f"1391234567{number}",
            },
        ),
    )
    assert statuses(results).keys() <= {200, 503}
    assert User.objects.count() == statuses(results)[200] > 0
