"""What document 001 says in words, and what the decisions add to it."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.contracts.union.tokens import ACCESS
from accounts.models import AttemptBudget, Session, User
from accounts.security import tokens
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt

pytestmark = pytest.mark.django_db

CAROL: dict[str, Any] = {"username": "carol", "password": "password123", "role": "PATIENT", "phone": "13912345678"}


@pytest.fixture
def union() -> Api:
    return Api(mount="/api/v1/auth")


@pytest.fixture(autouse=True)
def _alice_is_a_doctor(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(role="doctor")


def login(user_type: str = "DOCTOR", password: str = PASSWORD, phone: str = "13800138000") -> Any:
    body = {"phone": phone, "password": password, "userType": user_type}
    return Api(mount="/api/v1/auth").post("login", body)


def token_of(response: Any) -> str:
    return str(response.json()["data"]["token"])


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def failed(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "code": code, "message": message, "data": None}


class TestRegistration:
    @pytest.mark.parametrize("role", ["PATIENT", "DOCTOR"])
    def test_a_user_has_the_requested_role(self, union: Api, role: str) -> None:
        union.post("register", {**CAROL, "role": role})
        assert User.objects.get(username="carol").role == role.lower()

    def test_a_user_needs_no_email_address(self, union: Api) -> None:
        union.post("register", {**CAROL, "email": "carol@hospital.example"})
        assert User.objects.get(username="carol").email is None

    @pytest.mark.parametrize(
        "changes", [{"username": "x" * 3}, {"username": "x" * 50}, {"password": "x" * 100}], ids=str
    )
    def test_the_documents_bounds_are_within_them(self, union: Api, changes: dict[str, str]) -> None:
        assert union.post("register", {**CAROL, **changes}).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"username": "xy"}, "用户名（username）请确保这个字段至少包含 3 个字符"),
            ({"username": "x" * 51}, "用户名（username）请确保这个字段不能超过 50 个字符"),
            ({"username": ...}, "用户名（username）不能缺少"),
            ({"username": None}, "用户名（username）不能为空"),
            ({"username": 123}, "用户名（username）格式不正确"),
            ({"username": "two words"}, "用户名（username）格式不正确"),
            ({"username": "13912345678"}, "用户名（username）格式不正确"),
            ({"password": "12345"}, "密码（password）请确保这个字段至少包含 6 个字符"),
            ({"password": "x" * 101}, "密码（password）请确保这个字段不能超过 100 个字符"),
            ({"password": "\ud800abcdef"}, "密码（password）含有不允许的字符"),
            ({"phone": "1391234567"}, "手机号码（phone）格式不正确"),
            ({"phone": "139123456789"}, "手机号码（phone）格式不正确"),
            ({"phone": "１３９１２３４５６７８"}, "手机号码（phone）格式不正确"),
            ({"phone": "13912345678\n"}, "手机号码（phone）格式不正确"),
            ({"phone": "00000000000"}, "手机号码（phone）格式不正确"),
            ({"phone": 13912345678}, "手机号码（phone）格式不正确"),
            ({"phone": "13800138000"}, "手机号码（phone）已被使用"),
            ({"role": "patient"}, "用户角色（role）取值无效"),
            ({"role": "VIEWER"}, "用户角色（role）取值无效"),
            ({"role": ["PATIENT"]}, "用户角色（role）取值无效"),
            ({"role": "ADMIN"}, "用户角色（role）不允许注册该角色"),
            ({"username": "xy", "phone": ""}, None),
        ],
        ids=str,
    )
    def test_a_field_that_is_wrong_is_named(self, union: Api, changes: dict[str, Any], message: str | None) -> None:
        body = {name: value for name, value in {**CAROL, **changes}.items() if value is not ...}
        message = message or "用户名（username）请确保这个字段至少包含 3 个字符；手机号码（phone）不能为空"
        response = union.post("register", body)
        assert (response.status_code, response.json()) == (400, failed(400, f"请求参数错误：{message}"))

    def test_a_taken_name_is_reported_before_a_taken_number(self, union: Api) -> None:
        response = union.post("register", {**CAROL, "username": "ALICE", "phone": "13800138000"})
        assert (response.status_code, response.json()) == (409, failed(1001, "用户名已存在"))

    def test_beyond_the_hours_accounts_the_answer_says_when(self, union: Api) -> None:
        union.post("register", CAROL)
        AttemptBudget.objects.update(count=100)
        response = union.post("register", {**CAROL, "username": "dave", "phone": "13912345679"})
        assert (response.status_code, response.json()) == (429, failed(429, "注册次数过多，请稍后再试"))
        assert 3500 < int(response["Retry-After"]) <= 3600


class TestLogin:
    @pytest.mark.parametrize("user_type", ["PATIENT", "ADMIN"])
    def test_another_user_type_is_answered_like_a_wrong_password(self, user_type: str) -> None:
        response = login(user_type)
        assert (response.status_code, response.json()) == (401, failed(1002, "用户名或密码错误"))

    def test_another_user_type_is_a_failure_in_the_trail_and_the_budget(self) -> None:
        login("PATIENT")
        assert LoginAttempt.objects.get().failure_reason == "wrong_role"
        assert sorted(AttemptBudget.objects.values_list("count", flat=True))[-1] == 1

    def test_five_other_user_types_lock_the_account(self) -> None:
        answers = [login("PATIENT") for _ in range(5)] + [login()]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]

    def test_an_administrator_logs_in_as_one(self, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(role="admin")
        assert login("ADMIN").json()["data"]["role"] == "ADMIN"

    @pytest.mark.parametrize("user_type", ["", "doctor", "VIEWER", None, 1, ["DOCTOR"]], ids=repr)
    def test_a_user_type_that_the_document_does_not_have_is_a_wrong_field(self, user_type: Any) -> None:
        assert login(user_type).json()["code"] == 400

    @pytest.mark.parametrize("phone", ["alice", "alice@hospital.example", "1380013", "13900139000"])
    def test_nothing_but_a_users_number_logs_in(self, phone: str) -> None:
        assert login(phone=phone).json() == failed(1002, "用户名或密码错误")

    @pytest.mark.parametrize(
        ("state", "message"),
        [({"is_active": False}, "账户已被禁用"), ({"awaits_approval": True}, "账户正在等待管理员审核")],
        ids=str,
    )
    def test_an_inactive_account_has_the_code_of_wrong_credentials(
        self, alice: User, state: dict[str, bool], message: str
    ) -> None:
        User.objects.filter(pk=alice.pk).update(**state)
        assert login().json() == failed(1002, message)


class TestRenewal:
    def test_in_the_first_half_of_its_life_a_token_is_not_renewed(self, union: Api) -> None:
        token, now = token_of(login()), timezone.now()
        with time_machine.travel(now + timedelta(hours=11, minutes=59)):
            assert "Authorization" not in union.get("user/info", token)

    def test_in_the_second_half_of_its_life_a_token_is_renewed(self, union: Api) -> None:
        token, now = token_of(login()), timezone.now()
        later = now + timedelta(hours=12, seconds=1)
        with time_machine.travel(later, tick=False):
            scheme, _, renewed = union.get("user/info", token)["Authorization"].partition(" ")
            assert scheme == "Bearer"
            assert claims(renewed) == {
                **claims(token),
                "iat": int(later.timestamp()),
                "exp": int(later.timestamp()) + 24 * 3600,
            }

    def test_after_a_renewal_both_tokens_are_accepted(self, union: Api) -> None:
        token, now = token_of(login()), timezone.now()
        with time_machine.travel(now + timedelta(hours=13)):
            renewed = union.get("user/info", token)["Authorization"].partition(" ")[2]
            assert [union.get("user/info", each).status_code for each in (token, renewed)] == [200, 200]

    def test_renewal_does_not_move_the_sessions_end(self, union: Api) -> None:
        token, now = token_of(login()), timezone.now()
        end = Session.objects.get().expires_at
        for hours in range(18, 7 * 24, 18):
            with time_machine.travel(now + timedelta(hours=hours)):
                response = union.get("user/info", token)
                token = response.get("Authorization", f"Bearer {token}").partition(" ")[2]
        assert (claims(token)["exp"], Session.objects.get().expires_at) == (int(end.timestamp()), end)
        assert "Authorization" not in response
        with time_machine.travel(now + timedelta(days=7, seconds=1)):
            assert union.get("user/info", token).json() == failed(401, "未授权访问")

    def test_a_session_is_over_after_seven_days_whatever_its_token_says(self, union: Api) -> None:
        token = token_of(login())
        Session.objects.update(expires_at=timezone.now())
        assert union.get("user/info", token).status_code == 401

    def test_a_refused_token_is_not_renewed(self, union: Api) -> None:
        token, now = token_of(login()), timezone.now()
        Session.objects.update(ended_at=now)
        with time_machine.travel(now + timedelta(hours=13)):
            assert "Authorization" not in union.get("user/info", token)

    def test_a_browser_may_read_the_renewed_token(self, union: Api) -> None:
        response = union.get("user/info", token_of(login()), Origin="http://localhost:5173")
        assert "Authorization" in response["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.parametrize("change", [{"sid": None}, {"sid": []}, {"sid": 1}, {"sid": "x"}, {"exp": None}], ids=str)
def test_a_token_with_a_claim_that_is_wrong_is_refused(union: Api, change: dict[str, Any]) -> None:
    forged = tokens.sign(ACCESS, {**claims(token_of(login())), **change})
    assert union.get("user/info", forged).json() == failed(401, "未授权访问")


def test_the_information_about_a_user_takes_one_statement(union: Api, statements: Any) -> None:
    token, now = token_of(login()), timezone.now()
    with time_machine.travel(now + timedelta(hours=13)):
        union.get("user/info", token)
        with statements() as captured:
            union.get("user/info", token)
    assert len(captured.sql) == 1, captured.sql


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "nothing", 404, "请求的资源不存在"),
        ("GET", "login", 405, "不支持该请求方法"),
        ("DELETE", "user/info", 405, "不支持该请求方法"),
    ],
)
def test_an_unknown_path_and_a_wrong_method_are_refused_in_the_envelope(
    union: Api, method: str, path: str, status: int, message: str
) -> None:
    response = union.call(method, f"/api/v1/auth/{path}")
    assert (response.status_code, response.json()) == (status, failed(status, message))


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings) -> None:
        settings.PROFILE = "hardened"

    def test_a_patient_logs_in_at_once(self, union: Api) -> None:
        union.post("register", {**CAROL, "password": "correct horse"})
        assert login("PATIENT", "correct horse", "13912345678").status_code == 200

    def test_a_doctor_waits_for_approval(self, union: Api) -> None:
        union.post("register", {**CAROL, "role": "DOCTOR", "password": "correct horse"})
        answer = login("DOCTOR", "correct horse", "13912345678")
        assert (answer.status_code, answer.json()) == (401, failed(1002, "账户正在等待管理员审核"))

    @pytest.mark.parametrize(
        ("password", "message"),
        [("password123", "过于常见"), ("xcarolx1", "与用户信息过于相似"), ("xq7-zw", "不能少于8个字符")],
    )
    def test_a_password_that_is_easy_to_guess_is_refused(self, union: Api, password: str, message: str) -> None:
        response = union.post("register", {**CAROL, "password": password})
        assert response.json() == failed(400, f"请求参数错误：密码（password）{message}")
