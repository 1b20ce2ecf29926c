"""What the description says of the hospital's contract alone."""

import json
from typing import Any

import pytest

from accounts.contracts.hospital import wire
from accounts.tests.tools import Api
from authsvc.endpoints.schema import document

pytestmark = pytest.mark.any_database

PATHS = json.loads(document())["paths"]


def described(verb: str, method: str) -> dict[str, Any]:
    return dict(PATHS[f"/hospital/api/auth/{verb}"][method])


def test_a_registration_may_bring_a_token_and_is_never_refused_for_it() -> None:
    register = described("register", "post")
    assert register["security"] == [{}, {"hospital_token": []}]
    assert list(register["responses"]) == ["200", "400", "405", "413", "415", "426", "429", "500", "503"]


def test_a_login_has_one_message_for_any_missing_field() -> None:
    examples = described("login", "post")["responses"]["400"]["content"]["application/json"]["examples"]
    assert examples["InvalidInput"]["value"] == {"success": False, "message": "Username and password are required"}


def test_the_list_has_its_own_pages_none_of_which_is_missing() -> None:
    users = described("users", "get")
    assert [parameter["name"] for parameter in users["parameters"]] == ["role", "search", "page", "per_page"]
    # Any number is accepted, so the schema has no bounds.
    assert [parameter["schema"] for parameter in users["parameters"][2:]] == [
        {"type": "integer", "default": 1},
        {"type": "integer", "default": 10},
    ]
    assert list(users["responses"]) == ["200", "400", "401", "403", "405", "413", "426", "500", "503"]


@pytest.mark.django_db
def test_the_printed_requests_give_the_printed_answers(api: Api) -> None:
    registered = api.post("register", wire.Registration.example).json()
    logged_in = api.post("login", wire.Login.example).json()
    for answer, printed, made in (
        (registered, wire.RegistrationData.example, ("user_id", "created_time")),
        (logged_in, wire.LoginData.example, ("user_id", "created_time", "last_login")),
    ):
        user = {**printed["user"], **{name: answer["data"]["user"][name] for name in made}}
        token = {name: answer["data"][name] for name in ("token",) if name in printed}
        assert answer == {"success": True, "data": {**printed, **token, "user": user}}
