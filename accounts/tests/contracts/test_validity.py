"""Accounts with a first and a last day, in every contract."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import time_machine

from accounts.errors import LastAdministrator
from accounts.models import Session, User
from accounts.services import account_state, users
from accounts.tests.contracts.clients import CLIENTS, NATIVE, ContractClient
from accounts.tests.contracts.test_every_contract import require_error
from accounts.tests.tools import Api, later
from audit.models import LoginAttempt, SecurityEvent
from audit.origin import Origin

pytestmark = pytest.mark.django_db

MONDAY = datetime.fromisoformat("2026-11-23T00:00:00+08:00")
SUNDAY_NIGHT = datetime.fromisoformat("2026-11-22T23:59:59+08:00")
DAY = date(2026, 11, 23)
each_contract = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


@pytest.fixture
def _monday(alice: User) -> Iterator[None]:
    """Let alice's account be valid on Monday alone, and go on on that day."""
    User.objects.filter(pk=alice.pk).update(role="doctor", valid_from=DAY, valid_until=DAY)
    with time_machine.travel(MONDAY, tick=False):
        yield


@each_contract
@pytest.mark.usefixtures("_monday")
def test_a_login_is_refused_as_that_of_a_disabled_account_before_the_first_day_and_after_the_last(
    client: ContractClient,
) -> None:
    assert client.login().status_code == 200
    for moment, reason in ((SUNDAY_NIGHT, "not_yet_valid"), (MONDAY.replace(day=24), "account_expired")):
        with time_machine.travel(moment, tick=False):
            assert client.login().status_code == client.inactive_account_status
            require_error(client, client.login("wrong-password"), client.errors.wrong_credentials)
            reasons = LoginAttempt.objects.filter(at=moment).values_list("failure_reason", flat=True)
            assert sorted(reasons) == sorted(["wrong_password", reason])


@each_contract
@pytest.mark.usefixtures("_monday")
def test_a_session_ends_at_the_first_request_after_the_last_day(client: ContractClient) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-11-23T23:59:00+08:00"), tick=False) as clock:
        token = client.log_in()
        assert client.get_me(token).status_code == 200
        clock.shift(120)
        assert client.get_me(token).status_code == client.ended_session_status


@pytest.mark.usefixtures("_monday")
def test_a_refresh_after_the_last_day_is_refused_and_spends_nothing() -> None:
    tokens = NATIVE.login().json()
    with later(hours=24):
        answer = Api().post("refresh", {"refresh_token": tokens["refresh_token"]})
        assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    assert Session.objects.get().generation == 0


@pytest.mark.usefixtures("_monday")
def test_new_dates_raise_no_session_from_before(alice: User, head: User, origin: Origin) -> None:
    token = NATIVE.log_in()
    with later(hours=24):
        users.change(user=users.find(user_id=alice.pk), changes={"valid_until": None}, actor=head, origin=origin)
    assert NATIVE.get_me(token).status_code == 401
    assert NATIVE.get_me(NATIVE.log_in()).status_code == 200


@pytest.mark.usefixtures("_monday")
def test_a_longer_time_ends_no_session(alice: User, head: User, origin: Origin) -> None:
    token = NATIVE.log_in()
    users.change(
        user=users.find(user_id=alice.pk), changes={"valid_until": date(2027, 6, 30)}, actor=head, origin=origin
    )
    assert NATIVE.get_me(token).status_code == 200
    event = SecurityEvent.objects.latest("id")
    assert (event.event, event.detail) == (
        "user:changed",
        {"fields": ["valid_until"], "old": {"valid_until": "2026-11-23"}, "new": {"valid_until": "2027-06-30"}},
    )


class TestAdministrators:
    @pytest.fixture
    def token(self, api: Api, head: User) -> str:
        return str(api.tokens("head")["access_token"])

    def change(self, token: str, user: User, **changes: Any) -> Any:
        return Api().call("PATCH", f"/api/auth/users/{user.pk}", changes, token)

    def test_they_set_dates_and_job_titles(self, token: str, alice: User) -> None:
        changes = {"job_title": "护士", "valid_from": "2026-01-01", "valid_until": "2027-06-30"}
        body = self.change(token, alice, **changes).json()
        assert {name: body[name] for name in changes} == changes

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"valid_until": "tomorrow"}, "valid_until"),
            ({"valid_until": 20270630}, "valid_until"),
            ({"valid_from": "2027-06-30", "valid_until": "2027-06-29"}, "valid_until"),
        ],
        ids=str,
    )
    def test_what_is_wrong_with_dates_is_named(
        self, token: str, alice: User, changes: dict[str, Any], field: str
    ) -> None:
        answer = self.change(token, alice, **changes)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])

    def test_nobody_sets_dates_of_the_own_account(self, token: str, head: User, root: User) -> None:
        answer = self.change(token, head, valid_until="2027-06-30")
        assert (answer.status_code, answer.json()["code"]) == (403, "own_account")

    def test_the_last_administrator_without_an_end_stays_one(self, head: User, root: User, origin: Origin) -> None:
        users.change(user=head, changes={"valid_until": date(2099, 1, 1)}, actor=root, origin=origin)
        with pytest.raises(LastAdministrator):
            users.save_changes(user=_ending(root), fields=["valid_until"], actor=None, origin=origin)
        assert account_state.deactivate(user=head, actor=root, origin=origin)


def _ending(user: User) -> User:
    user.valid_until = date(2099, 1, 1)
    return user
