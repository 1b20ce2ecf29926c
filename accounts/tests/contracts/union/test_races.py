"""Facts about requests with one token that are served at the same time, on every database."""

import pytest

from accounts.models import Session
from accounts.tests.races import Round, race_rounds, statuses
from accounts.tests.tools import PASSWORD, later

pytestmark = pytest.mark.django_db(transaction=True)

MOUNT = "/api/v1/auth"


@race_rounds(6, role="doctor")
def test_a_token_in_its_second_half_is_renewed_for_all_who_send_it(each: Round) -> None:
    login = {"phone": each.person.phone, "password": PASSWORD, "userType": "DOCTOR"}
    token = each.api(MOUNT).post("login", login).json()["data"]["token"]
    with later(hours=13):
        results = each.at_once(lambda _: each.api(MOUNT).get("user/info", token))
        assert statuses(results) == {200: 6}
        renewed = {result["Authorization"].removeprefix("Bearer ") for result in results}
        assert token not in renewed
        assert {each.api(MOUNT).get("user/info", one).status_code for one in {token, *renewed}} == {200}
    assert Session.objects.filter(user=each.person).count() == 1
