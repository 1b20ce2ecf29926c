"""What administrators do to others' accounts, and what they read of the trail."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from accounts.tests.tools import BROWSER, ELSEWHERE, HERE, PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

CAROL: dict[str, Any] = {"username": "carol", "password": "Secret123", "role": "doctor"}


@pytest.fixture
def token(api: Api, head: User) -> str:
    return str(api.tokens("head")["access_token"])


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def patch(token: str, user: User, **changes: Any) -> Any:
    return Api().call("PATCH", f"/api/auth/users/{user.pk}", changes, token)


def act(token: str, user: User, verb: str) -> Any:
    return Api().post(f"users/{user.pk}/{verb}", token=token)


def events() -> list[tuple[Any, ...]]:
    rows = SecurityEvent.objects.exclude(event__in=["account:locked", "people:listed"]).order_by("id")
    return list(rows.values_list("event", "user", "actor", "detail"))


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["username"] for row in response.json()["results"]]


ADMINISTRATORS_ALONE = [
    ("GET", "users"),
    ("POST", "users"),
    ("GET", "users/1"),
    ("PATCH", "users/1"),
    ("POST", "users/1/activate"),
    ("POST", "users/1/deactivate"),
    ("POST", "users/1/approve"),
    ("POST", "users/1/unlock"),
    ("POST", "users/1/logout-all"),
    ("GET", "users/1/sessions"),
    ("DELETE", "users/1/sessions/2c5fb28a-e64f-41ca-8868-d190f413080b"),
    ("GET", "security-events"),
    ("GET", "login-attempts"),
]


@pytest.mark.parametrize(("method", "path"), ADMINISTRATORS_ALONE)
def test_only_administrators_may(api: Api, alice: User, method: str, path: str) -> None:
    token = api.tokens()["access_token"]
    assert code(api.call(method, f"/api/auth/{path}", {}, token)) == (403, "permission_denied")


@pytest.mark.parametrize(("method", "path"), ADMINISTRATORS_ALONE)
def test_a_token_is_required(api: Api, method: str, path: str) -> None:
    assert code(api.call(method, f"/api/auth/{path}", {})) == (401, "token_missing")


def test_a_new_administrator_is_one_after_the_next_login(api: Api, token: str, alice: User) -> None:
    old = api.tokens()["access_token"]
    patch(token, alice, role="admin")
    assert code(api.get("users", old)) == (401, "session_ended")
    assert api.get("users", api.tokens()["access_token"]).status_code == 200


def test_a_former_administrator_is_refused_at_the_next_request(api: Api, token: str, head: User) -> None:
    User.objects.filter(pk=head.pk).update(role="doctor")
    assert api.get("users", token).status_code == 401


class TestList:
    @pytest.fixture(autouse=True)
    def _people(self, alice: User, bob: User) -> None:
        User.objects.filter(pk=bob.pk).update(
            department="呼吸科", job_title="护士", awaits_approval=True, full_name="Bob 王", valid_from=date(2999, 1, 1)
        )
        User.objects.filter(pk=alice.pk).update(valid_from=date(2020, 1, 1), valid_until=date(2020, 12, 31))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["head", "bob", "alice"]),
            ("role=doctor", ["bob"]),
            ("role=patient", []),
            ("is_active=true", ["head", "bob", "alice"]),
            ("is_active=false", []),
            ("awaits_approval=true", ["bob"]),
            ("department=呼吸科", ["bob"]),
            ("job_title=护士", ["bob"]),
            ("job_title=护", []),
            ("validity=not_yet", ["bob"]),
            ("validity=current", ["head"]),
            ("validity=ended", ["alice"]),
            ("search=ALI", ["alice"]),
            ("search=ａｌｉ", ["alice"]),
            ("search=王", ["bob"]),
            ("search=hospital.example", ["head", "alice"]),
            ("search=138001", ["alice"]),
            ("search=%25", []),
            ("search=_", []),
            ("search=' OR 1=1 --", []),
            ("ordering=username", ["alice", "bob", "head"]),
            ("ordering=-username", ["head", "bob", "alice"]),
            ("ordering=role,username", ["head", "bob", "alice"]),
            ("ordering=-role&ordering=username", ["alice", "bob", "head"]),
            ("page_size=1", ["head"]),
            ("page_size=1&page=3", ["alice"]),
            ("page_size=1000000000", ["head", "bob", "alice"]),
            ("unknown=1", ["head", "bob", "alice"]),
        ],
    )
    def test_a_query_finds(self, api: Api, token: str, query: str, found: list[str]) -> None:
        assert names(api.get(f"users?{query}", token)) == found

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("role=king", "role"),
            ("validity=expired", "validity"),
            ("job_title=" + "x" * 101, "job_title"),
            ("ordering=password", "ordering"),
            ("search=" + "x" * 101, "search"),
            ("search=%00", "search"),
        ],
    )
    def test_a_query_that_is_wrong_is_named(self, api: Api, token: str, query: str, field: str) -> None:
        response = api.get(f"users?{query}", token)
        assert (code(response), list(response.json()["errors"])) == ((400, "invalid_input"), [field])

    def test_a_page_takes_four_statements(self, api: Api, token: str, statements: Any) -> None:
        api.get("users", token)
        with statements() as captured:
            api.get("users", token)
        assert len(captured.sql) == 4, captured.sql


class TestCreation:
    @pytest.mark.parametrize("role", ["admin", "doctor", "patient", "regulator"])
    def test_an_account_is_created_with_any_role(self, api: Api, token: str, role: str) -> None:
        answer = api.post("users", {**CAROL, "role": role}, token)
        assert (answer.status_code, answer.json()["role"]) == (201, role)
        assert api.login("carol", "Secret123").status_code == 200

    def test_a_creation_is_an_event(self, api: Api, token: str, head: User) -> None:
        api.post("users", CAROL, token)
        assert events() == [("user:created", User.objects.get(username="carol").pk, head.pk, {"role": "doctor"})]

    @pytest.mark.parametrize(
        ("changes", "codes"),
        [
            ({"role": "king"}, {"role": ["invalid_choice"]}),
            ({"role": ["doctor"]}, {"role": ["invalid_choice"]}),
            ({"username": "two words"}, {"username": ["invalid"]}),
            ({"password": "1"}, {"password": ["password_too_short"]}),
            ({"email": "x"}, {"email": ["invalid"]}),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_named(
        self, api: Api, token: str, changes: dict[str, Any], codes: dict[str, list[str]]
    ) -> None:
        body = api.post("users", {**CAROL, **changes}, token).json()
        assert {name: [item["code"] for item in items] for name, items in body["errors"].items()} == codes

    def test_a_name_that_is_taken_is_refused(self, api: Api, token: str, alice: User) -> None:
        assert code(api.post("users", {**CAROL, "username": "ALICE"}, token)) == (409, "already_taken")


class TestChange:
    def test_a_change_is_shown_and_is_an_event(self, token: str, head: User, alice: User) -> None:
        answer = patch(token, alice, full_name="Alice Li", username="alice.li")
        assert (answer.status_code, answer.json()["full_name"], answer.json()["username"]) == (
            200,
            "Alice Li",
            "alice.li",
        )
        detail = {
            "fields": ["full_name", "username"],
            "old": {"full_name": "Alice Zhang", "username": "alice"},
            "new": {"full_name": "Alice Li", "username": "alice.li"},
        }
        assert events() == [("user:changed", alice.pk, head.pk, detail)]

    def test_the_event_of_a_change_masks_contacts_and_omits_the_profile(self, token: str, alice: User) -> None:
        patch(token, alice, phone="13912345678", profile={"ward": "7"})
        (_event, _user, _actor, detail), *_ = events()
        assert detail == {
            "fields": ["phone", "profile"],
            "old": {"phone": "138****8000"},
            "new": {"phone": "139****5678"},
        }

    def test_a_changed_role_ends_the_sessions_and_is_an_event(
        self, api: Api, token: str, head: User, alice: User
    ) -> None:
        hers = api.tokens()["access_token"]
        patch(token, alice, role="viewer")
        assert api.get("me", hers).status_code == 401
        assert events() == [("user:role:changed", alice.pk, head.pk, {"old": "pharmacy", "new": "viewer"})]

    @pytest.mark.parametrize("field", ["password", "is_superuser", "stamp", "is_active", "awaits_approval"])
    def test_what_is_no_administrators_to_set_is_left_alone(self, token: str, alice: User, field: str) -> None:
        before = User.objects.filter(pk=alice.pk).values().get()
        patch(token, alice, **{field: "x"})
        assert User.objects.filter(pk=alice.pk).values().get() == before

    @pytest.mark.parametrize(
        ("verb", "before", "after", "event"),
        [
            ("deactivate", {"is_active": True}, {"is_active": False}, "user:deactivated"),
            ("activate", {"is_active": False}, {"is_active": True}, "user:activated"),
            ("approve", {"awaits_approval": True}, {"awaits_approval": False}, "user:approved"),
        ],
    )
    def test_an_act_is_done_and_is_an_event(
        self, token: str, head: User, alice: User, verb: str, before: Any, after: Any, event: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(**before)
        answer = act(token, alice, verb)
        assert (answer.status_code, {name: answer.json()[name] for name in after}) == (200, after)
        assert events() == [(event, alice.pk, head.pk, {})]

    @pytest.mark.parametrize("verb", ["activate", "approve", "unlock"])
    def test_an_act_that_changes_nothing_is_no_event(self, token: str, alice: User, verb: str) -> None:
        assert act(token, alice, verb).status_code == 200
        assert events() == []

    def test_a_deactivated_account_is_out_at_the_next_request(self, api: Api, token: str, alice: User) -> None:
        hers = api.tokens()["access_token"]
        act(token, alice, "deactivate")
        assert (api.get("me", hers).status_code, api.login().status_code) == (401, 403)

    def test_an_unlocked_account_logs_in_at_once(self, api: Api, token: str, head: User, alice: User) -> None:
        for _ in range(5):
            api.login(password="wrong")
        assert api.login().status_code == 429
        act(token, alice, "unlock")
        assert api.login().status_code == 200
        assert events() == [("user:unlocked", alice.pk, head.pk, {})]

    @pytest.mark.parametrize("verb", ["", "/activate", "/deactivate", "/approve", "/unlock"])
    def test_only_a_superuser_changes_a_superuser(self, token: str, root: User, verb: str) -> None:
        before = User.objects.filter(pk=root.pk).values().get()
        method = "POST" if verb else "PATCH"
        answer = Api().call(method, f"/api/auth/users/{root.pk}{verb}", {"role": "doctor"}, token)
        assert code(answer) == (403, "permission_denied")
        assert User.objects.filter(pk=root.pk).values().get() == before

    def test_a_superuser_changes_a_superuser(self, api: Api, root: User) -> None:
        other = User.objects.create_superuser("second", None, PASSWORD)
        assert patch(api.tokens("root")["access_token"], other, nickname="Two").status_code == 200

    @pytest.mark.parametrize("number", ["0", "999", "9" * 30])
    def test_an_unknown_user_is_not_found(self, api: Api, token: str, number: str) -> None:
        assert code(api.get(f"users/{number}", token)) == (404, "not_found")

    def test_a_change_of_one_column_leaves_what_others_wrote_meanwhile(
        self, token: str, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from accounts.services import users

        real = users.require_free

        def meanwhile(user: User) -> None:
            User.objects.filter(pk=alice.pk).update(department="药房")
            real(user)

        monkeypatch.setattr(users, "require_free", meanwhile)
        patch(token, alice, full_name="Alice Li")
        assert User.objects.values_list("full_name", "department").get(pk=alice.pk) == ("Alice Li", "药房")

    def test_a_user_who_is_deleted_meanwhile_is_not_found(
        self, token: str, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.services.users.require_free", lambda _: alice.delete())
        assert code(patch(token, User(pk=alice.pk), full_name="Alice Li")) == (404, "not_found")


class TestLoginAttempts:
    @pytest.fixture(autouse=True)
    def _attempts(self, api: Api, token: str, alice: User) -> None:
        api.login(password="wrong")
        Api(ELSEWHERE).login("nobody", "wrong")

    def test_a_row_is_the_trails(self, api: Api, token: str, alice: User) -> None:
        row = api.get("login-attempts?username=alice", token).json()["results"][0]
        attempt = LoginAttempt.objects.get(user=alice)
        assert row == {
            "id": attempt.pk,
            "user": alice.pk,
            "identifier": "alice",
            "contract": "native",
            "ip": HERE,
            "user_agent": BROWSER,
            "status": "failed",
            "failure_reason": "wrong_password",
            "factor": "",
            "request_id": attempt.request_id,
            "at": attempt.at.isoformat().replace("+00:00", "Z"),
            "repeats": 1,
        }

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["nobody", "alice", "head"]),
            ("username=ALICE", ["alice"]),
            ("username=alice@hospital.example", ["alice"]),
            ("username=nobody", ["nobody"]),
            ("status=success", ["head"]),
            ("status=failed", ["nobody", "alice"]),
            (f"ip={ELSEWHERE}", ["nobody"]),
            ("contract=admin", []),
            ("contract=native&status=success", ["head"]),
        ],
    )
    def test_a_query_finds(self, api: Api, token: str, query: str, found: list[str]) -> None:
        rows = api.get(f"login-attempts?{query}", token).json()["results"]
        assert [row["identifier"] for row in rows] == found

    def test_a_time_span_has_its_beginning_and_not_its_end(self, api: Api, token: str) -> None:
        at: datetime = LoginAttempt.objects.get(identifier="alice").at
        text = at.isoformat().replace("+00:00", "Z")
        later = (at + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        since = api.get(f"login-attempts?since={text}&until={later}", token).json()["results"]
        until = api.get(f"login-attempts?until={text}", token).json()["results"]
        assert [row["identifier"] for row in since] == ["nobody", "alice"]
        assert [row["identifier"] for row in until] == ["head"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("status=maybe", "status"),
            ("since=yesterday", "since"),
            ("since=0001-01-01T00:00:00%2B14:00", "since"),
            ("until=9999-12-31T23:59:59-14:00", "until"),
            ("ip=" + "1" * 46, "ip"),
        ],
    )
    def test_a_query_that_is_wrong_is_named(self, api: Api, token: str, query: str, field: str) -> None:
        response = api.get(f"login-attempts?{query}", token)
        assert (code(response), list(response.json()["errors"])) == ((400, "invalid_input"), [field])
