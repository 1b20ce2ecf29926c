"""Every example that document 002 prints, sent as printed and compared whole."""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import time_machine

from accounts.contracts.portal.tokens import ACCESS
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("described")]

LOGIN = {"username": "admin", "password": "123456"}
REGISTRATION = {
    "username": "newuser",
    "password": "123456",
    "email": "newuser@example.com",
    "nickname": "新用户",
}


@pytest.fixture
def portal() -> Api:
    return Api("127.0.0.1", mount="/auth")


@pytest.fixture
def admin(db: None) -> Iterator[User]:
    """The document's example user, at the times that it prints."""
    with time_machine.travel("2024-12-01T09:00:00+08:00", tick=False) as clock:
        user = User.objects.create_user("admin", "admin@example.com", "123456", role="admin", nickname="管理员")
        clock.move_to("2024-12-01T10:30:00+08:00", tick=False)
        yield user


def answer(response: Any) -> tuple[int, dict[str, Any]]:
    return response.status_code, response.json()


def token_of(response: Any) -> str:
    return str(response.json()["data"]["token"])


def test_a_login(portal: Api, admin: User) -> None:
    status, body = answer(portal.post("login", LOGIN))
    assert (status, body) == (
        200,
        {
            "code": 200,
            "message": "登录成功",
            "data": {
                "token": body["data"]["token"],
                "user": {
                    "id": admin.pk,
                    "username": "admin",
                    "email": "admin@example.com",
                    "nickname": "管理员",
                    "avatar": None,
                    "last_login_time": "2024-12-01 10:30:00",
                },
            },
        },
    )


def test_a_registration(portal: Api, db: None) -> None:
    response = portal.post("register", REGISTRATION)
    assert answer(response) == (
        200,
        {
            "code": 200,
            "message": "注册成功",
            "data": {
                "id": User.objects.get().pk,
                "username": "newuser",
                "email": "newuser@example.com",
                "nickname": "新用户",
            },
        },
    )


def test_a_profile(portal: Api, admin: User) -> None:
    token = token_of(portal.post("login", LOGIN))
    assert answer(portal.get("profile", token)) == (
        200,
        {
            "code": 200,
            "message": "获取成功",
            "data": {
                "id": admin.pk,
                "username": "admin",
                "email": "admin@example.com",
                "nickname": "管理员",
                "avatar": None,
                "status": 1,
                "last_login_time": "2024-12-01 10:30:00",
                "last_login_ip": "127.0.0.1",
                "created_at": "2024-12-01 09:00:00",
            },
        },
    )


def test_a_refresh(portal: Api, alice: User) -> None:
    token = token_of(portal.post("login", {"username": "alice", "password": "Correct-horse-7"}))
    status, body = answer(portal.post("refresh", token=token))
    assert (status, body) == (200, {"code": 200, "message": "刷新成功", "data": {"token": body["data"]["token"]}})


def test_a_logout(portal: Api, admin: User) -> None:
    token = token_of(portal.post("login", LOGIN))
    assert answer(portal.post("logout", token=token)) == (200, {"code": 200, "message": "登出成功"})


def test_a_reader_of_the_document_verifies_the_token(portal: Api, admin: User) -> None:
    token = token_of(portal.post("login", LOGIN))
    key = ring.signer(ACCESS)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": key.kid, "typ": "JWT"}
    assert jwt.decode(token, key.signing, algorithms=["HS256"]) == {
        "user_id": admin.pk,
        "username": "admin",
        "sid": str(Session.objects.get().pk),
        "generation": 0,
        "iat": 1733020200,
        "exp": 1733020200 + 2 * 3600,
    }


@pytest.mark.parametrize("token", [None, "a.b.c"])
@pytest.mark.parametrize(("method", "path"), [("GET", "profile"), ("POST", "refresh"), ("POST", "logout")])
def test_the_documents_401(portal: Api, db: None, method: str, path: str, token: str | None) -> None:
    response = portal.call(method, f"/auth/{path}", None, token)
    assert answer(response) == (401, {"code": 401, "message": "未认证或token无效", "data": None})
    assert response["WWW-Authenticate"].partition(" ")[0] == "Bearer"


@pytest.mark.parametrize(
    ("state", "message"),
    [({"is_active": False}, "账户被禁用"), ({"awaits_approval": True}, "账户正在等待管理员审核")],
    ids=str,
)
def test_the_documents_403(portal: Api, admin: User, state: dict[str, bool], message: str) -> None:
    User.objects.filter(pk=admin.pk).update(**state)
    assert answer(portal.post("login", LOGIN)) == (403, {"code": 403, "message": message, "data": None})


def test_the_documents_500(portal: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.services.sign_in.identify", crash)
    assert answer(portal.post("login", LOGIN)) == (500, {"code": 500, "message": "服务器内部错误", "data": None})
