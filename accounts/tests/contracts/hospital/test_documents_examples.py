"""What document 000 prints, sent to its own people, and the whole of each answer."""

from typing import Any

import jwt
import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.contracts.hospital.tokens import ACCESS
from accounts.models import Session, User
from accounts.security.keys import ring
from accounts.tests.tools import Api

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("described")]

NEW_DOCTOR = {"username": "dr_chen", "password": "123456", "email": "chen@hospital.com", "full_name": "陈医生"}


@pytest.fixture(autouse=True)
def _documents_people(settings: Settings, db: None) -> None:
    settings.DEBUG = True
    call_command("seed")


def printed(time: Any) -> str:
    """Return a time as the document's own code prints it."""
    return str(time.replace(tzinfo=None).isoformat())


def dr_wang(**changes: Any) -> dict[str, Any]:
    user = User.objects.get(username="dr_wang")
    return {
        "user_id": user.pk,
        "username": "dr_wang",
        "email": "wang@hospital.com",
        "full_name": "王医生",
        "role": "doctor",
        "department": "呼吸科",
        "avatar_url": None,
        "phone": None,
        "is_active": True,
        "last_login": printed(user.last_login),
        "created_time": printed(user.created_at),
        **changes,
    }


def token(api: Api, username: str = "dr_wang") -> str:
    return str(api.login(username, "123456").json()["data"]["token"])


def test_the_documents_login(api: Api) -> None:
    response = api.login("dr_wang", "123456")
    body = response.json()
    assert (response.status_code, body) == (
        200,
        {
            "success": True,
            "data": {"message": "Login successful", "token": body["data"]["token"], "user": dr_wang()},
        },
    )


@pytest.mark.parametrize("username", ["admin", "dr_wang", "dr_li", "viewer_zhang"])
def test_each_of_the_documents_users_logs_in(api: Api, username: str) -> None:
    assert api.login(username, "123456").json()["data"]["user"]["username"] == username


def test_the_documents_own_reader_takes_a_token(api: Api) -> None:
    key = ring.signer(ACCESS).signing
    session_token = token(api)
    session = Session.objects.get()
    assert jwt.decode(session_token, key, algorithms=["HS256"]) == {
        "user_id": User.objects.get(username="dr_wang").pk,
        "username": "dr_wang",
        "role": "doctor",
        "exp": int(session.created_at.timestamp()) + 24 * 3600,
        "sid": str(session.pk),
    }


def test_the_documents_profile(api: Api) -> None:
    response = api.get("profile", token(api))
    assert (response.status_code, response.json()) == (200, {"success": True, "data": {"user": dr_wang()}})


def test_the_documents_registration_answers_200_with_a_doctor(api: Api) -> None:
    response = api.post("register", NEW_DOCTOR)
    user = User.objects.get(username="dr_chen")
    assert (response.status_code, response.json()) == (
        200,
        {
            "success": True,
            "data": {
                "message": "User registered successfully",
                "user": {
                    "user_id": user.pk,
                    "username": "dr_chen",
                    "email": "chen@hospital.com",
                    "full_name": "陈医生",
                    "role": "doctor",
                    "department": None,
                    "avatar_url": None,
                    "phone": None,
                    "is_active": True,
                    "last_login": None,
                    "created_time": printed(user.created_at),
                },
            },
        },
    )


def test_the_documents_change_of_a_profile(api: Api) -> None:
    changes = {
        "full_name": "王主任",
        "email": "w@hospital.com",
        "department": "内科",
        "phone": "13912345678",
        "avatar_url": "https://hospital.com/w.png",
    }
    response = api.call("PUT", "/hospital/api/auth/profile", changes, token(api))
    assert (response.status_code, response.json()) == (
        200,
        {"success": True, "data": {"message": "Profile updated successfully", "user": dr_wang(**changes)}},
    )


def test_the_documents_logout(api: Api) -> None:
    response = api.post("logout", token=token(api))
    assert (response.status_code, response.json()) == (
        200,
        {"success": True, "data": {"message": "Logout successful"}},
    )


def test_the_documents_list_of_users(api: Api) -> None:
    admins = token(api, "admin")
    token(api)
    response = api.get("users?role=doctor", admins)
    assert (response.status_code, response.json()) == (
        200,
        {
            "success": True,
            "data": {"items": [dr_wang()], "pagination": {"total": 1, "page": 1, "per_page": 10, "pages": 1}},
        },
    )
