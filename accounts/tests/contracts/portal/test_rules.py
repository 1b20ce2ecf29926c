"""What document 002 says in words, and what the decisions add to it."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.contracts.portal.tokens import ACCESS
from accounts.models import AttemptBudget, Session, User
from accounts.security import tokens
from accounts.tests.databases import count_by_database
from accounts.tests.tools import PASSWORD, Api

pytestmark = pytest.mark.django_db

CAROL: dict[str, Any] = {
    "username": "carol",
    "password": "123456",
    "email": "carol@hospital.example",
    "nickname": "卡罗尔",
}
INVALID_TOKEN = {"code": 401, "message": "未认证或token无效", "data": None}


@pytest.fixture
def portal() -> Api:
    return Api(mount="/auth")


def token_of(response: Any) -> str:
    return str(response.json()["data"]["token"])


def log_in(portal: Api) -> str:
    return token_of(portal.login())


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def move_back(**ago: float) -> None:
    """Let the last rotation lie so far back, by the database's clock."""
    Session.objects.update(rotated_at=F("rotated_at") - timedelta(**ago))


class TestRegistration:
    def test_a_new_user_is_a_viewer(self, portal: Api, db: None) -> None:
        portal.post("register", {**CAROL, "role": "admin"})
        assert User.objects.get().role == "viewer"

    def test_a_nickname_may_be_absent(self, portal: Api, db: None) -> None:
        body = {name: value for name, value in CAROL.items() if name != "nickname"}
        assert portal.post("register", body).json()["data"]["nickname"] == ""

    def test_a_registered_user_logs_in(self, portal: Api, db: None) -> None:
        portal.post("register", CAROL)
        assert portal.login("carol", "123456").status_code == 200

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"username": ...}, "用户名（username）不能缺少"),
            ({"username": None}, "用户名（username）不能为空"),
            ({"username": ""}, "用户名（username）不能为空"),
            ({"username": True}, "用户名（username）格式不正确"),
            ({"username": "two words"}, "用户名（username）格式不正确"),
            ({"username": "x" * 51}, "用户名（username）请确保这个字段不能超过 50 个字符"),
            ({"username": "a\x00b"}, "用户名（username）含有不允许的字符"),
            ({"username": "ALICE"}, "用户名（username）已被使用"),
            ({"email": ...}, "邮箱（email）不能缺少"),
            ({"email": "carol"}, "邮箱（email）格式不正确"),
            ({"email": "ALICE@hospital.example"}, "邮箱（email）已被使用"),
            ({"email": "x" * 101}, "邮箱（email）请确保这个字段不能超过 100 个字符"),
            ({"password": "12345"}, "密码（password）不能少于6个字符"),
            ({"password": "x" * 129}, "密码（password）请确保这个字段不能超过 128 个字符"),
            ({"password": 123456}, "密码（password）格式不正确"),
            ({"nickname": "x" * 51}, "昵称（nickname）请确保这个字段不能超过 50 个字符"),
            ({"nickname": []}, "昵称（nickname）格式不正确"),
            (
                {"username": "alice", "email": "alice@hospital.example"},
                "用户名（username）已被使用；邮箱（email）已被使用",
            ),
        ],
        ids=str,
    )
    def test_a_field_that_is_wrong_is_named(
        self, portal: Api, alice: User, changes: dict[str, Any], message: str
    ) -> None:
        body = {name: value for name, value in {**CAROL, **changes}.items() if value is not ...}
        response = portal.post("register", body)
        assert (response.status_code, response.json()) == (
            400,
            {"code": 400, "message": f"请求参数错误：{message}", "data": None},
        )

    def test_beyond_the_hours_accounts_the_answer_says_when(self, portal: Api, db: None) -> None:
        portal.post("register", CAROL)
        AttemptBudget.objects.update(count=100)
        response = portal.post("register", {**CAROL, "username": "dave", "email": "dave@hospital.example"})
        assert (response.status_code, response.json()) == (
            429,
            {"code": 429, "message": "注册次数过多，请稍后再试", "data": None},
        )
        assert 3500 < int(response["Retry-After"]) <= 3600


class TestUsers:
    @pytest.mark.parametrize("body", [{}, {"username": "alice"}, {"username": 1, "password": PASSWORD}], ids=str)
    def test_a_login_with_wrong_fields_is_a_bad_request(self, portal: Api, body: dict[str, Any]) -> None:
        assert portal.post("login", body).json()["code"] == 400

    @pytest.mark.parametrize("identifier", ["alice@hospital.example", "13800138000"])
    def test_nothing_but_a_name_logs_in(self, portal: Api, alice: User, identifier: str) -> None:
        response = portal.login(identifier)
        assert (response.status_code, response.json()) == (
            401,
            {"code": 401, "message": "用户名或密码错误", "data": None},
        )

    def test_an_avatar_is_its_address(self, portal: Api, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(avatar_url="https://hospital.example/a.png")
        assert portal.get("profile", log_in(portal)).json()["data"]["avatar"] == "https://hospital.example/a.png"

    def test_a_user_without_an_address_has_none(self, portal: Api, bob: User) -> None:
        assert portal.login("bob").json()["data"]["user"]["email"] is None

    def test_times_are_in_the_deployments_zone(self, portal: Api, alice: User, settings: Settings) -> None:
        settings.TIME_ZONE = "Europe/Berlin"
        with time_machine.travel("2024-12-01T02:30:00Z", tick=False):
            assert portal.login().json()["data"]["user"]["last_login_time"] == "2024-12-01 03:30:00"


class TestRefresh:
    def test_a_refresh_takes_one_statement_on_postgresql(self, portal: Api, alice: User, statements: Any) -> None:
        token = log_in(portal)
        with statements() as captured:
            portal.post("refresh", token=token)
        assert len(captured.sql) == count_by_database(postgresql=1, others=2), captured.sql

    def test_a_successor_follows_from_the_sessions_row(self, portal: Api, alice: User) -> None:
        successor = token_of(portal.post("refresh", token=log_in(portal)))
        session = Session.objects.get()
        assert claims(successor) == {
            "user_id": alice.pk,
            "username": "alice",
            "sid": str(session.pk),
            "generation": 1,
            "iat": int(session.rotated_at.timestamp()),
            "exp": int((session.rotated_at + timedelta(hours=2)).timestamp()),
        }

    def test_a_successor_is_accepted_and_refreshes_once(self, portal: Api, alice: User) -> None:
        second = token_of(portal.post("refresh", token=log_in(portal)))
        third = token_of(portal.post("refresh", token=second))
        assert portal.get("profile", third).status_code == 200
        assert [claims(token)["generation"] for token in (second, third)] == [1, 2]

    def test_a_spent_token_is_accepted_for_ten_seconds(self, portal: Api, alice: User) -> None:
        spent = log_in(portal)
        portal.post("refresh", token=spent)
        move_back(seconds=9)
        assert portal.get("profile", spent).status_code == 200

    def test_a_spent_token_gives_the_same_successor_byte_for_byte(self, portal: Api, alice: User) -> None:
        spent = log_in(portal)
        first, again = (token_of(portal.post("refresh", token=spent)) for _ in range(2))
        assert first == again

    def test_a_spent_token_gives_its_successor_for_ten_seconds(self, portal: Api, alice: User) -> None:
        spent = log_in(portal)
        portal.post("refresh", token=spent)
        move_back(seconds=9)
        assert claims(token_of(portal.post("refresh", token=spent)))["generation"] == 1

    def test_after_ten_seconds_a_spent_token_is_refused(self, portal: Api, alice: User) -> None:
        spent = log_in(portal)
        portal.post("refresh", token=spent)
        move_back(seconds=11)
        answers = [
            portal.get("profile", spent),
            portal.post("refresh", token=spent),
            portal.post("logout", token=spent),
        ]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(401, INVALID_TOKEN)] * 3

    def test_a_refused_token_ends_no_session(self, portal: Api, alice: User) -> None:
        spent = log_in(portal)
        successor = token_of(portal.post("refresh", token=spent))
        move_back(seconds=11)
        portal.post("refresh", token=spent)
        assert portal.get("profile", successor).status_code == 200

    def test_a_token_of_two_generations_ago_is_refused_at_once(self, portal: Api, alice: User) -> None:
        first = log_in(portal)
        portal.post("refresh", token=token_of(portal.post("refresh", token=first)))
        answers = [portal.get("profile", first), portal.post("refresh", token=first)]
        assert [answer.status_code for answer in answers] == [401, 401]

    def test_an_expired_token_is_not_refreshed(self, portal: Api, alice: User) -> None:
        token, now = log_in(portal), timezone.now()
        with time_machine.travel(now + timedelta(hours=2, seconds=1)):
            response = portal.post("refresh", token=token)
        assert (response.status_code, response.json()) == (401, INVALID_TOKEN)

    @pytest.mark.parametrize("change", [{"is_active": False}, {"role": "doctor"}, {"password": "!"}], ids=str)
    def test_a_changed_users_token_is_not_refreshed(self, portal: Api, alice: User, change: dict[str, Any]) -> None:
        token = log_in(portal)
        User.objects.filter(pk=alice.pk).update(**change)
        response = portal.post("refresh", token=token)
        assert (response.status_code, response.json()) == (401, INVALID_TOKEN)
        assert Session.objects.get().generation == 0

    def test_a_deleted_users_token_is_not_refreshed(self, portal: Api, alice: User) -> None:
        token = log_in(portal)
        alice.delete()
        response = portal.post("refresh", token=token)
        assert (response.status_code, response.json()) == (401, INVALID_TOKEN)


class TestEnds:
    def test_a_token_is_valid_for_two_hours(self, portal: Api, alice: User) -> None:
        token, now = log_in(portal), timezone.now()
        with time_machine.travel(now + timedelta(hours=1, minutes=59)):
            assert portal.get("profile", token).status_code == 200
        with time_machine.travel(now + timedelta(hours=2, seconds=1)):
            assert portal.get("profile", token).json() == INVALID_TOKEN

    def test_a_session_lasts_seven_days(self, portal: Api, alice: User) -> None:
        log_in(portal)
        session = Session.objects.get()
        assert (session.expires_at, session.latest_end_at) == (session.created_at + timedelta(days=7),) * 2

    def test_a_refresh_does_not_move_the_sessions_end(self, portal: Api, alice: User) -> None:
        token = log_in(portal)
        end = timezone.now() + timedelta(days=3)
        Session.objects.update(expires_at=end, latest_end_at=end)
        portal.post("refresh", token=token)
        assert Session.objects.get().expires_at == end

    def test_a_token_does_not_outlive_its_session(self, portal: Api, alice: User) -> None:
        token = log_in(portal)
        end = timezone.now() + timedelta(hours=1)
        Session.objects.update(expires_at=end, latest_end_at=end)
        assert claims(token_of(portal.post("refresh", token=token)))["exp"] == int(end.timestamp())

    def test_a_session_past_its_end_is_not_refreshed(self, portal: Api, alice: User) -> None:
        token = log_in(portal)
        Session.objects.update(expires_at=timezone.now())
        response = portal.post("refresh", token=token)
        assert (response.status_code, response.json()) == (401, INVALID_TOKEN)

    def test_after_a_logout_no_token_of_the_session_is_accepted(self, portal: Api, alice: User) -> None:
        spent = log_in(portal)
        successor = token_of(portal.post("refresh", token=spent))
        portal.post("logout", token=successor)
        answers = [portal.get("profile", token) for token in (spent, successor)]
        answers += [portal.post("refresh", token=token) for token in (spent, successor)]
        assert [answer.json() for answer in answers] == [INVALID_TOKEN] * 4

    def test_a_logout_ends_its_own_session_alone(self, portal: Api, alice: User) -> None:
        one, other = log_in(portal), log_in(portal)
        portal.post("logout", token=one)
        assert portal.get("profile", other).status_code == 200


@pytest.mark.parametrize("verb", ["profile", "refresh"])
@pytest.mark.parametrize(
    "change",
    [
        {"sid": None},
        {"sid": []},
        {"sid": "x"},
        {"generation": None},
        {"generation": "0"},
        {"generation": 1},
        {"generation": 10**30},
    ],
    ids=str,
)
def test_a_token_with_a_claim_that_is_wrong_is_refused(
    portal: Api, alice: User, change: dict[str, Any], verb: str
) -> None:
    forged = tokens.sign(ACCESS, {**claims(log_in(portal)), **change})
    response = portal.call("GET" if verb == "profile" else "POST", f"/auth/{verb}", None, forged)
    assert (response.status_code, response.json()) == (401, INVALID_TOKEN)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "nothing", 404, "请求的地址不存在"),
        ("GET", "refresh", 405, "不支持该请求方法"),
        ("POST", "profile", 405, "不支持该请求方法"),
    ],
)
def test_an_unknown_path_and_a_wrong_method_are_refused_in_the_envelope(
    portal: Api, db: None, method: str, path: str, status: int, message: str
) -> None:
    response = portal.call(method, f"/auth/{path}")
    assert (response.status_code, response.json()) == (status, {"code": status, "message": message, "data": None})


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings) -> None:
        settings.PROFILE = "hardened"

    def test_a_viewer_logs_in_at_once(self, portal: Api, db: None) -> None:
        portal.post("register", {**CAROL, "password": "correct horse"})
        assert portal.login("carol", "correct horse").status_code == 200

    def test_the_documents_password_is_refused(self, portal: Api, db: None) -> None:
        response = portal.post("register", CAROL)
        assert response.json() == {
            "code": 400,
            "message": "请求参数错误：密码（password）不能少于8个字符，过于常见",
            "data": None,
        }
