"""What people do to their own account: columns, password, sessions."""

from typing import Any

import pytest

from accounts.models import AttemptBudget, Session, User
from accounts.tests.tools import BROWSER, ELSEWHERE, HERE, PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"


@pytest.fixture
def token(api: Api, alice: User) -> str:
    return str(api.tokens()["access_token"])


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def wrong_fields(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 400, response.content
    return {field: [item["code"] for item in items] for field, items in response.json()["errors"].items()}


def events() -> list[tuple[Any, ...]]:
    return list(SecurityEvent.objects.order_by("id").values_list("event", "user", "actor", "detail"))


class TestColumns:
    def patch(self, token: str, **changes: Any) -> Any:
        return Api().call("PATCH", "/api/auth/me", changes, token)

    @pytest.mark.parametrize("char", ["x", "王"])
    def test_a_profile_has_8_kib_at_most(self, token: str, char: str) -> None:
        count, rest = divmod(8 * 1024 - len(b'{"a":""}'), len(char.encode()))
        longest = {"a": char * count + "x" * rest}
        assert self.patch(token, profile=longest).json()["profile"] == longest
        assert wrong_fields(self.patch(token, profile={"a": longest["a"] + "x"})) == {"profile": ["max_bytes"]}

    def test_the_profile_that_an_administrator_sets_has_8_kib_at_most(self, head: User, alice: User) -> None:
        token = Api().tokens("head")["access_token"]
        answer = Api().call("PATCH", f"/api/auth/users/{alice.pk}", {"profile": {"a": "x" * 8192}}, token)
        assert wrong_fields(answer) == {"profile": ["max_bytes"]}

    @pytest.mark.parametrize(
        ("changes", "shown"),
        [
            ({"full_name": "Alice Li"}, {"full_name": "Alice Li"}),
            ({"email": "New@Hospital.Example"}, {"email": "New@Hospital.Example"}),
            ({"email": None}, {"email": None}),
            ({"phone": "139 1234 5678"}, {"phone": "13912345678"}),
            ({"phone": None}, {"phone": None}),
            ({"avatar_url": "https://a.example/x.png"}, {"avatar_url": "https://a.example/x.png"}),
            ({"profile": {"ward": ["7", {"bed": 3}]}}, {"profile": {"ward": ["7", {"bed": 3}]}}),
            ({"nickname": "Al", "department": "药房"}, {"nickname": "Al", "department": "药房"}),
            ({}, {}),
        ],
        ids=str,
    )
    def test_writable_fields_are_changed_and_shown(
        self, api: Api, token: str, changes: dict[str, Any], shown: dict[str, Any]
    ) -> None:
        before = api.get("me", token).json()
        answer = self.patch(token, **changes)
        assert (answer.status_code, answer.json()) == (200, {**before, **shown})
        assert api.get("me", token).json() == {**before, **shown}

    @pytest.mark.parametrize("field", ["role", "username", "is_active", "is_superuser", "password", "id", "stamp"])
    def test_read_only_fields_are_ignored(self, api: Api, token: str, alice: User, field: str) -> None:
        before = User.objects.filter(pk=alice.pk).values().get()
        self.patch(token, **{field: "admin"})
        assert User.objects.filter(pk=alice.pk).values().get() == before

    @pytest.mark.parametrize(
        ("changes", "codes"),
        [
            ({"email": "nonsense"}, {"email": ["invalid"]}),
            ({"email": ""}, {"email": ["blank"]}),
            ({"phone": "12345"}, {"phone": ["invalid"]}),
            ({"avatar_url": "javascript:alert(1)"}, {"avatar_url": ["invalid"]}),
            ({"profile": []}, {"profile": ["invalid"]}),
            ({"profile": {"a": "\x00"}}, {"profile": ["invalid"]}),
            ({"profile": {"\ud800": 1}}, {"profile": ["invalid"]}),
            ({"full_name": 7}, {"full_name": ["invalid"]}),
        ],
        ids=repr,
    )
    def test_what_is_wrong_is_named(self, token: str, changes: dict[str, Any], codes: dict[str, list[str]]) -> None:
        assert wrong_fields(self.patch(token, **changes)) == codes

    def test_what_another_account_has_is_refused(self, token: str, head: User) -> None:
        assert code(self.patch(token, email="HEAD@hospital.example")) == (409, "already_taken")

    def test_a_change_is_an_event_that_names_the_fields(self, token: str, alice: User) -> None:
        self.patch(token, full_name="Alice Li", nickname="Al")
        assert events() == [("user:changed", alice.pk, alice.pk, {"fields": ["full_name", "nickname"]})]

    def test_what_stays_as_it_was_is_no_event(self, token: str) -> None:
        self.patch(token, full_name="Alice Zhang")
        assert events() == []

    def test_a_change_ends_no_session(self, api: Api, token: str) -> None:
        self.patch(token, full_name="Alice Li")
        assert api.get("me", token).status_code == 200


class TestPassword:
    def change(self, token: str, old: str = PASSWORD, new: str = NEW) -> Any:
        return Api().post("change-password", {"old_password": old, "new_password": new}, token)

    def test_a_change_says_nothing_and_ends_every_session(self, api: Api, token: str) -> None:
        other = Api(ELSEWHERE).tokens()["access_token"]
        answer = self.change(token)
        assert (answer.status_code, answer.content) == (204, b"")
        assert [api.get("me", each).status_code for each in (token, other)] == [401, 401]

    def test_the_new_password_logs_in_and_the_old_one_does_not(self, api: Api, token: str) -> None:
        self.change(token)
        assert [api.login(password=p).status_code for p in (NEW, PASSWORD)] == [200, 401]

    def test_a_wrong_old_password_is_named_and_changes_nothing(self, api: Api, token: str) -> None:
        assert wrong_fields(self.change(token, old="wrong")) == {"old_password": ["wrong_password"]}
        assert api.login().status_code == 200

    def test_a_wrong_old_password_counts_like_any_other(self, token: str, alice: User) -> None:
        answers = [self.change(token, old="wrong").status_code for _ in range(6)]
        assert answers == [400] * 5 + [429]
        assert AttemptBudget.objects.get(account_id=alice.pk, address=HERE).locks == 1

    @pytest.mark.parametrize(
        ("new", "codes"),
        [
            ("Short1", ["password_too_short"]),
            ("alllowercase1", ["password_not_mixed"]),
            ("ALLUPPERCASE1", ["password_not_mixed"]),
            ("NoDigitsHere", ["password_not_mixed"]),
        ],
    )
    def test_a_new_password_follows_the_documents_rule(self, token: str, new: str, codes: list[str]) -> None:
        assert wrong_fields(self.change(token, new=new)) == {"new_password": codes}

    def test_a_change_is_an_event(self, token: str, alice: User) -> None:
        self.change(token)
        assert events() == [("password:changed", alice.pk, alice.pk, {})]

    def test_the_ended_sessions_say_why(self, token: str) -> None:
        self.change(token)
        assert Session.objects.get().end_reason == "credential_changed"


class TestSessions:
    def test_the_list_has_every_active_session_and_marks_the_current_one(self, api: Api, token: str) -> None:
        Api(ELSEWHERE).tokens()
        mine, other = Session.objects.get(ip=HERE), Session.objects.get(ip=ELSEWHERE)

        def row(session: Session, ip: str, *, current: bool) -> dict[str, Any]:
            times = {
                name: getattr(session, name).isoformat().replace("+00:00", "Z")
                for name in ("created_at", "last_seen_at", "expires_at")
            }
            shown = {"id": str(session.pk), "contract": "native", "ip": ip, "user_agent": BROWSER}
            # The second login came from elsewhere than the first.
            return {**shown, **times, "from_new_address": ip == ELSEWHERE, "from_new_device": False, "current": current}

        assert api.get("sessions", token).json() == {
            "count": 2,
            "next": None,
            "previous": None,
            "results": [row(other, ELSEWHERE, current=False), row(mine, HERE, current=True)],
        }

    def test_the_list_has_no_ended_session_and_none_of_other_users(self, api: Api, token: str, bob: User) -> None:
        api.tokens("bob")
        api.post("logout", token=Api().tokens()["access_token"])
        assert api.get("sessions", token).json()["count"] == 1

    def test_a_list_comes_in_pages(self, api: Api, token: str) -> None:
        api.tokens()
        api.tokens()
        answer = api.get("sessions?page_size=2", token).json()
        assert (len(answer["results"]), answer["count"], answer["previous"]) == (2, 3, None)
        assert answer["next"] == "http://testserver/api/auth/sessions?page=2&page_size=2"

    @pytest.mark.parametrize("page", ["2", "99", "9" * 40, "9" * 5000])
    def test_an_unknown_page_is_not_found(self, api: Api, token: str, page: str) -> None:
        assert code(api.get(f"sessions?page={page}", token)) == (404, "not_found")

    def test_one_session_is_ended_and_no_other(self, api: Api, token: str) -> None:
        other = Api(ELSEWHERE).tokens()["access_token"]
        number = Session.objects.get(ip=ELSEWHERE).pk
        assert Api().call("DELETE", f"/api/auth/sessions/{number}", None, token).status_code == 204
        assert [api.get("me", each).status_code for each in (token, other)] == [200, 401]

    def test_the_session_of_another_user_is_not_found(self, api: Api, token: str, bob: User) -> None:
        his = api.tokens("bob")["access_token"]
        number = Session.objects.get(user=bob).pk
        assert code(Api().call("DELETE", f"/api/auth/sessions/{number}", None, token)) == (404, "not_found")
        assert api.get("me", his).status_code == 200

    @pytest.mark.parametrize("number", ["7d444840-9dc0-4d3a-8b1f-2f0f9f2a1c55", "1", "x", "%00"])
    def test_an_unknown_session_is_not_found(self, token: str, number: str) -> None:
        assert code(Api().call("DELETE", f"/api/auth/sessions/{number}", None, token)) == (404, "not_found")

    def test_logout_all_ends_every_session_the_callers_too(self, api: Api, token: str) -> None:
        other = Api(ELSEWHERE).tokens()["access_token"]
        assert api.post("logout-all", token=token).status_code == 204
        assert [api.get("me", each).status_code for each in (token, other)] == [401, 401]

    def test_logout_all_leaves_others_alone(self, api: Api, token: str, bob: User) -> None:
        his = api.tokens("bob")["access_token"]
        api.post("logout-all", token=token)
        assert api.get("me", his).status_code == 200

    def test_logout_all_is_an_event(self, api: Api, token: str, alice: User) -> None:
        api.post("logout-all", token=token)
        assert events() == [("session:ended", alice.pk, alice.pk, {"reason": "logout", "count": 1})]
