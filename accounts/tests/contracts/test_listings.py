"""The event about an administrator who lists people through the API."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.races import Round, race_rounds, statuses
from accounts.tests.tools import HERE, Api, later
from audit.models import SecurityEvent


def token_of(api: Api, name: str = "head") -> str:
    body = api.login(name).json()
    return str((body.get("data") or body).get("access_token") or body["data"]["token"])


def listings() -> list[dict[str, Any]]:
    rows = SecurityEvent.objects.filter(event="people:listed").order_by("id")
    return list(rows.values("user", "actor", "contract", "ip", "detail"))


@pytest.mark.django_db
class TestListing:
    @pytest.fixture(params=["/api/auth", "/hospital/api/auth"])
    def api(self, request: pytest.FixtureRequest, alice: User, bob: User, head: User) -> Api:
        return Api(mount=request.param)

    def test_it_is_an_event_with_the_query_and_the_number_of_rows(self, api: Api, head: User) -> None:
        size = {"/api/auth": "page_size", "/hospital/api/auth": "per_page"}[api.mount]
        query = {"role": "doctor", "search": "BOB", size: "5"}
        assert api.get("users?" + "&".join(map("=".join, query.items())), token_of(api)).status_code == 200
        contract = {"/api/auth": "native", "/hospital/api/auth": "hospital"}[api.mount]
        detail = {"query": query, "rows": 1, "count": 1}
        assert listings() == [
            {"user": None, "actor": head.pk, "contract": contract, "ip": HERE, "detail": detail},
        ]

    def test_without_a_query_it_has_all(self, api: Api) -> None:
        api.get("users", token_of(api))
        assert [event["detail"] for event in listings()] == [{"query": {}, "rows": 3, "count": 3}]

    def test_there_is_one_an_hour(self, api: Api) -> None:
        token = token_of(api)
        assert [api.get(f"users?page={page}", token).status_code for page in (1, 1)] == [200, 200]
        with later(minutes=59):
            api.get("users", token_of(api))
        assert len(listings()) == 1
        with later(minutes=61):
            api.get("users", token_of(api))
        assert len(listings()) == 2

    def test_each_administrator_has_an_own_one(self, api: Api, root: User) -> None:
        for name in ("head", "root"):
            api.get("users", token_of(api, name))
        assert [event["actor"] for event in listings()] == [User.objects.get(username=n).pk for n in ("head", "root")]

    def test_a_refused_request_is_none(self, api: Api, alice: User) -> None:
        assert api.get("users", token_of(api, "alice")).status_code == 403
        assert api.get("users?search=" + "x" * 101, token_of(api)).status_code == 400
        assert listings() == []

    def test_a_query_of_any_characters_and_length_is_recorded(self, api: Api) -> None:
        query = "a=%00%E2%80%AEx%ff&b=" + "y" * 200 + "".join(f"&p{number}=1" for number in range(30))
        assert api.get(f"users?{query}", token_of(api)).status_code == 200
        recorded = listings()[0]["detail"]["query"]
        assert (len(recorded), recorded["a"], recorded["b"]) == (20, "\\u0000\\u202ex\ufffd", "y" * 150)


@pytest.mark.django_db
class TestReading:
    def read(self, name: str, token: str) -> int:
        pk = User.objects.get(username=name).pk
        return Api().get(f"users/{pk}", token).status_code

    def test_the_first_account_of_an_hour_is_an_event(self, alice: User, bob: User, head: User) -> None:
        token = token_of(Api())
        assert [self.read(name, token) for name in ("bob", "alice")] == [200, 200]
        event = {"user": bob.pk, "actor": head.pk, "contract": "native", "ip": HERE, "detail": {"rows": 1}}
        assert listings() == [event]
        with later(minutes=61):
            self.read("alice", token_of(Api()))
        assert [event["user"] for event in listings()] == [bob.pk, alice.pk]

    def test_a_list_before_it_does_not_hide_it(self, bob: User, head: User) -> None:
        token = token_of(Api())
        Api().get("users", token)
        self.read("bob", token)
        assert [event["detail"].get("query") for event in listings()] == [{}, None]

    @pytest.mark.parametrize(("method", "suffix"), [("PATCH", ""), ("POST", "/activate"), ("POST", "/unlock")])
    def test_a_change_that_changes_nothing_is_a_reading(self, bob: User, head: User, method: str, suffix: str) -> None:
        answer = Api().call(method, f"/api/auth/users/{bob.pk}{suffix}", {}, token_of(Api()))
        assert (answer.status_code, answer.json()["username"]) == (200, "bob")
        assert [event["user"] for event in listings()] == [bob.pk]

    def test_the_own_account_and_one_that_does_not_exist_are_none(self, head: User) -> None:
        token = token_of(Api())
        assert [self.read("head", token), Api().get("users/999999", token).status_code] == [200, 404]
        assert listings() == []


@pytest.mark.django_db(transaction=True)
@race_rounds(6)
def test_of_6_lists_at_once_one_is_recorded(each: Round) -> None:
    token = each.administrator()
    results = each.at_once(lambda _: each.api().get("users", token))
    assert statuses(results) == {200: 6}
    actor = User.objects.get(username=f"head{each.number}")
    assert SecurityEvent.objects.filter(event="people:listed", actor=actor.pk).count() == 1
