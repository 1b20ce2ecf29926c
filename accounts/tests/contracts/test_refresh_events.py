"""What a refresh, and the use of a token that a refresh has spent, write to the trail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from accounts.models import Session, User
from accounts.tests.contracts.clients import CLINIC, NATIVE, PORTAL, ContractClient
from accounts.tests.tools import BROWSER, ELSEWHERE, HERE, PASSWORD, Api, captured_statements, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

Refresh = Callable[[Api, str], Any]


def _native(api: Api, token: str) -> Any:
    return api.call("POST", "/api/auth/refresh", {"refresh_token": token})


def _portal(api: Api, token: str) -> Any:
    return api.call("POST", "/auth/refresh", token=token)


def _clinic(api: Api, token: str) -> Any:
    return api.call("POST", "/api/users/refresh_token", token=token)


ONE_TOKEN: list[tuple[ContractClient, Refresh]] = [(PORTAL, _portal), (CLINIC, _clinic)]
ALL: list[tuple[ContractClient, Refresh]] = [(NATIVE, _native), *ONE_TOKEN]


def names(value: object) -> str | None:
    return value.name if isinstance(value, ContractClient) else ""


def log_in(client: ContractClient) -> str:
    body = client.call("POST", "login", {**client.login_fields, "password": PASSWORD}).json()
    return str(body.get("refresh_token") or client.token(body))


def events() -> list[str]:
    return list(SecurityEvent.objects.order_by("id").values_list("event", flat=True))


def end_grace() -> None:
    Session.objects.update(rotated_at=F("rotated_at") - timedelta(seconds=11))


@pytest.mark.parametrize(("client", "refresh"), ALL, ids=names)
class TestMoved:
    def test_a_refresh_from_the_same_place_leaves_no_row(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        token = log_in(client)
        assert [refresh(Api(HERE), token).status_code for _ in range(2)] == [200, 200]
        assert events() == []

    def test_a_refresh_from_another_address_is_an_event_and_the_sessions_new_address(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        assert refresh(Api(ELSEWHERE), log_in(client)).status_code == 200
        session = Session.objects.get()
        event = SecurityEvent.objects.get()
        assert (event.event, event.user_id, event.ip) == ("session:moved", alice.pk, ELSEWHERE)
        assert event.detail == {"session": str(session.pk), "last_ip": HERE, "last_user_agent": BROWSER}
        assert (session.ip, session.user_agent) == (ELSEWHERE, BROWSER)

    def test_a_refresh_from_another_device_is_an_event(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        other = Api(HERE)
        other.client.defaults["HTTP_USER_AGENT"] = "curl/8"
        assert refresh(other, log_in(client)).status_code == 200
        assert (events(), Session.objects.get().user_agent) == (["session:moved"], "curl/8")

    def test_a_spent_token_from_another_address_within_its_grace_is_an_event(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        token = log_in(client)
        assert [refresh(Api(address), token).status_code for address in (HERE, ELSEWHERE)] == [200, 200]
        assert events() == ["session:moved"]

    def test_a_session_that_alternates_between_addresses_has_one_event_a_minute(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        token = log_in(client)
        for address in (ELSEWHERE, HERE, ELSEWHERE, HERE):
            refresh(Api(address), token)
        assert events() == ["session:moved"]
        with later(seconds=61):
            refresh(Api(HERE), token)
        assert events() == ["session:moved"] * 2


@pytest.mark.parametrize(("client", "refresh"), ONE_TOKEN, ids=names)
class TestSpentToken:
    def test_its_use_after_the_grace_is_an_event_and_ends_nothing(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        spent = log_in(client)
        successor = client.token(refresh(Api(), spent).json())
        end_grace()
        assert refresh(Api(), spent).status_code in {401, 403}
        session, event = Session.objects.get(), SecurityEvent.objects.get()
        assert (event.event, event.user_id) == ("session:refresh:reuse", alice.pk)
        assert event.detail == {"session": str(session.pk), "generation": 0}
        assert client.get_me(successor).status_code == 200

    def test_a_client_that_repeats_it_leaves_one_event_a_minute(
        self, client: ContractClient, refresh: Refresh, alice: User
    ) -> None:
        spent = log_in(client)
        refresh(Api(), spent)
        end_grace()
        for _ in range(5):
            refresh(Api(), spent)
        assert events() == ["session:refresh:reuse"]
        with later(seconds=61):
            refresh(Api(), spent)
        assert events() == ["session:refresh:reuse"] * 2


USES: dict[str, Callable[[ContractClient, str], Any]] = {
    "me": lambda client, token: client.get_me(token),
    "logout": lambda client, token: client.call("POST", "logout", None, token),
}


@pytest.mark.parametrize(("client", "refresh"), ONE_TOKEN, ids=names)
class TestSpentTokenWithoutARefresh:
    @pytest.fixture
    def spent(self, client: ContractClient, refresh: Refresh, alice: User) -> str:
        token = log_in(client)
        assert refresh(Api(), token).status_code == 200
        return token

    @pytest.mark.parametrize("use", USES)
    def test_its_use_after_the_grace_is_an_event_and_ends_nothing(
        self, client: ContractClient, alice: User, spent: str, use: str
    ) -> None:
        end_grace()
        assert USES[use](client, spent).status_code == 401
        session, event = Session.objects.get(), SecurityEvent.objects.get()
        assert (event.event, event.user_id, event.ip) == ("session:refresh:reuse", alice.pk, HERE)
        assert event.detail == {"session": str(session.pk), "generation": 0}
        assert session.ended_at is None

    def test_its_use_within_the_grace_is_none(self, client: ContractClient, spent: str) -> None:
        assert client.get_me(spent).status_code == 200
        assert events() == []

    def test_all_its_uses_together_leave_one_event_a_minute(
        self, client: ContractClient, refresh: Refresh, spent: str
    ) -> None:
        end_grace()
        for _ in range(2):
            client.get_me(spent)
            refresh(Api(), spent)
        assert events() == ["session:refresh:reuse"]
        with later(seconds=61):
            client.get_me(spent)
        assert events() == ["session:refresh:reuse"] * 2

    def test_a_use_that_is_not_recorded_takes_one_statement(self, client: ContractClient, spent: str) -> None:
        end_grace()
        client.get_me(spent)
        with captured_statements() as captured:
            client.get_me(spent)
        assert len(captured.sql) == 1, captured.sql

    def test_its_use_after_a_logout_is_none(self, client: ContractClient, refresh: Refresh, spent: str) -> None:
        client.call("POST", "logout", None, client.token(refresh(Api(), spent).json()))
        end_grace()
        assert client.get_me(spent).status_code == 401
        assert events() == ["session:ended"]
