"""Every example that document 001 prints, sent as printed and compared whole."""

import json
from typing import Any

import jwt
import pytest
import time_machine

from accounts.contracts.union.tokens import ACCESS
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("described")]

REGISTRATION = {"username": "zhang_san", "password": "password123", "role": "PATIENT", "phone": "13912345678"}
LOGIN = {"phone": "13912345678", "password": "password123", "userType": "PATIENT"}
TEST_USER = {"username": "test_user_001", "password": "test123456", "role": "PATIENT", "phone": "13800138001"}


@pytest.fixture
def union() -> Api:
    return Api(mount="/api/v1/auth")


@pytest.fixture
def zhang_san(db: None) -> User:
    return User.objects.create_user("zhang_san", None, "password123", role="patient", phone="13912345678")


def answer(response: Any) -> tuple[int, dict[str, Any]]:
    return response.status_code, response.json()


def failed(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "code": code, "message": message, "data": None}


def test_a_registration(union: Api, db: None) -> None:
    response = union.post("register", REGISTRATION)
    assert answer(response) == (
        200,
        {
            "success": True,
            "code": 0,
            "message": "用户注册成功",
            "data": {"userId": User.objects.get().pk, "message": "注册成功"},
        },
    )


def test_a_registration_of_a_name_that_is_taken(union: Api, zhang_san: User) -> None:
    response = union.post("register", {**REGISTRATION, "phone": "13912345679"})
    assert answer(response) == (409, failed(1001, "用户名已存在"))


def test_a_login(union: Api, zhang_san: User) -> None:
    status, body = answer(union.post("login", LOGIN))
    assert (status, body) == (
        200,
        {
            "success": True,
            "code": 0,
            "message": "登录成功",
            "data": {
                "userId": zhang_san.pk,
                "username": "zhang_san",
                "role": "PATIENT",
                "profileJson": None,
                "token": body["data"]["token"],
            },
        },
    )


def test_a_login_with_a_wrong_password(union: Api, zhang_san: User) -> None:
    response = union.post("login", {**LOGIN, "password": "password124"})
    assert answer(response) == (401, failed(1002, "用户名或密码错误"))


def test_the_information_about_a_user(union: Api, zhang_san: User) -> None:
    token = union.post("login", LOGIN).json()["data"]["token"]
    assert answer(union.get("user/info", token)) == (
        200,
        {
            "success": True,
            "code": 0,
            "message": "获取用户信息成功",
            "data": {"userId": zhang_san.pk, "username": "zhang_san", "role": "PATIENT", "profileJson": None},
        },
    )


def test_the_information_about_a_user_without_a_token(union: Api, db: None) -> None:
    response = union.get("user/info")
    assert (answer(response), response["WWW-Authenticate"]) == ((401, failed(401, "未授权访问")), "Bearer")


def test_the_test_data_walk_through_all_three(union: Api, db: None) -> None:
    union.post("register", TEST_USER)
    login = {"phone": TEST_USER["phone"], "password": TEST_USER["password"], "userType": TEST_USER["role"]}
    token = union.post("login", login).json()["data"]["token"]
    assert union.get("user/info", token).json()["data"]["username"] == "test_user_001"


def test_a_reader_of_the_document_verifies_the_token(union: Api, zhang_san: User) -> None:
    with time_machine.travel("2025-09-24T06:20:46Z", tick=False):
        token = union.post("login", LOGIN).json()["data"]["token"]
        key = ring.signer(ACCESS)
        assert jwt.get_unverified_header(token) == {"alg": "HS384", "kid": key.kid, "typ": "JWT"}
        assert jwt.decode(token, key.signing, algorithms=["HS384"]) == {
            "role": "PATIENT",
            "userId": zhang_san.pk,
            "username": "zhang_san",
            "sub": "zhang_san",
            "sid": str(Session.objects.get().pk),
            "iat": 1758694846,
            "exp": 1758781246,
        }


def test_a_profile_is_a_string_of_json(union: Api, zhang_san: User) -> None:
    profile = {"血型": "A", "过敏": ["青霉素"]}
    User.objects.filter(pk=zhang_san.pk).update(profile=profile)
    sent = union.post("login", LOGIN).json()["data"]["profileJson"]
    assert isinstance(sent, str)
    assert json.loads(sent) == profile


def test_a_deleted_users_token_names_no_user(union: Api, zhang_san: User) -> None:
    token = union.post("login", LOGIN).json()["data"]["token"]
    zhang_san.delete()
    assert answer(union.get("user/info", token)) == (404, failed(1003, "用户不存在"))


def test_a_crash_is_the_documents_500(union: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.services.sign_in.identify", crash)
    assert answer(union.post("login", LOGIN)) == (500, failed(500, "服务器内部错误"))
