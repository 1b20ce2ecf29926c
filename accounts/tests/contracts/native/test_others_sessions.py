"""What administrators read and end of the sessions of others, and the security events that they read."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Session, User
from accounts.services import groups
from accounts.tests.tools import BROWSER, ELSEWHERE, HERE, Api, claims_of
from audit.models import SecurityEvent
from audit.origin import Origin
from audit.validity import today

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(head: User) -> str:
    return str(Api().tokens("head")["access_token"])


@pytest.fixture
def hers(alice: User) -> str:
    return str(Api(ELSEWHERE).tokens()["access_token"])


def end(token: str, user: User, session: str) -> Any:
    return Api().call("DELETE", f"/api/auth/users/{user.pk}/sessions/{session}", token=token)


def events(name: str) -> list[tuple[Any, ...]]:
    return list(SecurityEvent.objects.filter(event=name).values_list("user", "actor", "detail"))


class TestSessions:
    def test_the_list_has_the_active_ones_of_the_account(self, api: Api, token: str, alice: User, hers: str) -> None:
        ended = Api().tokens()["access_token"]
        Api().post("logout", token=ended)
        session = Session.objects.get(pk=claims_of(hers)["sid"])
        times = {name: getattr(session, name) for name in ("created_at", "last_seen_at", "expires_at")}
        row = {"id": str(session.pk), "contract": "native", "ip": ELSEWHERE, "user_agent": BROWSER, "current": False}
        row |= {"from_new_address": False, "from_new_device": False}
        page = api.get(f"users/{alice.pk}/sessions", token).json()
        assert page == {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [{**row, **{name: time.isoformat().replace("+00:00", "Z") for name, time in times.items()}}],
        }

    def test_those_of_an_account_past_its_last_day_are_none(self, api: Api, token: str, alice: User, hers: str) -> None:
        User.objects.filter(pk=alice.pk).update(valid_until=today() - timedelta(days=1))
        assert api.get(f"users/{alice.pk}/sessions", token).json()["results"] == []
        assert end(token, alice, claims_of(hers)["sid"]).status_code == 404

    def test_reading_them_is_recorded_as_reading_the_account(
        self, api: Api, token: str, head: User, alice: User
    ) -> None:
        api.get(f"users/{alice.pk}/sessions", token)
        assert events("people:listed") == [(alice.pk, head.pk, {"rows": 1})]

    def test_one_ends_at_the_next_request(self, api: Api, token: str, head: User, alice: User, hers: str) -> None:
        other, session = Api().tokens()["access_token"], claims_of(hers)["sid"]
        assert end(token, alice, session).status_code == 204
        assert [api.get("me", each).status_code for each in (hers, other)] == [401, 200]
        detail = {"session": session, "reason": "ended_by_administrator"}
        assert events("session:ended") == [(alice.pk, head.pk, detail)]
        assert end(token, alice, session).status_code == 404

    def test_one_of_another_account_is_not_found(self, api: Api, token: str, alice: User, bob: User, hers: str) -> None:
        assert end(token, bob, claims_of(hers)["sid"]).status_code == 404
        assert api.get("me", hers).status_code == 200

    def test_all_end_at_the_next_request(self, api: Api, token: str, head: User, alice: User, hers: str) -> None:
        assert api.post(f"users/{alice.pk}/logout-all", token=token).status_code == 204
        assert api.get("me", hers).status_code == 401
        assert events("session:ended") == [(alice.pk, head.pk, {"reason": "ended_by_administrator", "count": 1})]

    def test_only_a_superuser_ends_those_of_a_superuser(self, api: Api, token: str, root: User) -> None:
        his = api.tokens("root")["access_token"]
        refused = [end(token, root, claims_of(his)["sid"]), api.post(f"users/{root.pk}/logout-all", token=token)]
        assert [answer.status_code for answer in refused] == [403, 403]
        assert api.get("me", his).status_code == 200

    def test_with_separate_duties_a_system_administrator_reads_them_and_ends_none(
        self, api: Api, token: str, alice: User, hers: str, settings: Any
    ) -> None:
        settings.SEPARATE_DUTIES = True
        assert api.get(f"users/{alice.pk}/sessions", token).status_code == 200
        refused = [end(token, alice, claims_of(hers)["sid"]), api.post(f"users/{alice.pk}/logout-all", token=token)]
        assert [answer.status_code for answer in refused] == [403, 403]


class TestSecurityEvents:
    @pytest.fixture(autouse=True)
    def _events(self, token: str, alice: User, bob: User) -> None:
        for user in (alice, bob):
            Api(ELSEWHERE).call("PATCH", f"/api/auth/users/{user.pk}", {"role": "viewer"}, token)
        Api().login("bob")

    def test_a_row_is_the_trails(self, api: Api, token: str, head: User, alice: User) -> None:
        event = SecurityEvent.objects.get(user=alice, event="user:role:changed")
        (row,) = api.get("security-events?username=alice&event=user:role:changed", token).json()["results"]
        assert row == {
            "id": event.pk,
            "event": "user:role:changed",
            "user": alice.pk,
            "actor": head.pk,
            "detail": {"old": "pharmacy", "new": "viewer"},
            "contract": "native",
            "ip": ELSEWHERE,
            "user_agent": BROWSER,
            "request_id": event.request_id,
            "at": event.at.isoformat().replace("+00:00", "Z"),
        }

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("event=user:role:changed", ["bob", "alice"]),
            ("event=user:role:changed&user={alice}", ["alice"]),
            ("event=user:role:changed&username=BOB", ["bob"]),
            ("username=nobody", []),
            ("event=user:role:changed&actor={head}", ["bob", "alice"]),
            ("actor={alice}", []),
            (f"event=user:role:changed&ip={ELSEWHERE}", ["bob", "alice"]),
            (f"ip={HERE}", []),
            ("contract=admin", []),
            ("until=2020-01-01T00:00:00Z", []),
            ("event=user:role:changed&since=2020-01-01T00:00:00Z", ["bob", "alice"]),
        ],
    )
    def test_a_query_finds(
        self, api: Api, token: str, head: User, alice: User, bob: User, query: str, found: list[str]
    ) -> None:
        query = query.format(alice=alice.pk, head=head.pk)
        names = {alice.pk: "alice", bob.pk: "bob"}
        rows = api.get(f"security-events?{query}", token).json()["results"]
        assert [names[row["user"]] for row in rows] == found

    @pytest.mark.parametrize(
        "query", ["event=bogus", "user=x", "user=0", "actor=9223372036854775808", "username=%00", "since=today"]
    )
    def test_a_query_that_is_wrong_is_named(self, api: Api, token: str, query: str) -> None:
        response = api.get(f"security-events?{query}", token)
        assert (response.status_code, list(response.json()["errors"])) == (400, [query.partition("=")[0]])

    def test_an_auditor_reads_them_and_no_accounts(self, api: Api, root: User, alice: User, origin: Origin) -> None:
        groups.grant(user=alice, group="auditors", actor=root, origin=origin)
        token = api.tokens()["access_token"]
        paths = ["security-events", "login-attempts", "users", f"users/{alice.pk}/sessions"]
        assert [api.get(path, token).status_code for path in paths] == [200, 200, 403, 403]
