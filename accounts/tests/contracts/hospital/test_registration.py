from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, User
from accounts.tests.tools import PASSWORD, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

CAROL: dict[str, Any] = {
    "username": "carol",
    "password": "Secret123",
    "email": "carol@hospital.example",
    "full_name": "Carol Li",
}


def said(response: Any) -> tuple[int, str]:
    body = response.json()
    assert body == {"success": False, "message": body["message"]}
    return response.status_code, body["message"]


def token(api: Api, username: str) -> str:
    return str(api.login(username, PASSWORD).json()["data"]["token"])


@pytest.mark.parametrize("value", [..., None, "", 0], ids=repr)
@pytest.mark.parametrize("field", ["username", "password", "email", "full_name"])
def test_an_empty_required_field_is_named(api: Api, field: str, value: Any) -> None:
    body = {name: given for name, given in {**CAROL, field: value}.items() if given is not ...}
    assert said(api.post("register", body)) == (400, f"Field {field} is required")


def test_a_missing_field_is_named_before_an_invalid_one(api: Api) -> None:
    assert said(api.post("register", {"username": 7})) == (400, "Field password is required")


def test_a_taken_name_is_reported(api: Api, alice: User) -> None:
    body = {**CAROL, "username": "ＡＬＩＣＥ", "email": "alice@hospital.example"}
    assert said(api.post("register", body)) == (400, "Username already exists")


def test_a_taken_address_is_reported(api: Api, alice: User) -> None:
    body = {**CAROL, "email": "Alice@Hospital.Example"}
    assert said(api.post("register", body)) == (400, "Email already exists")


def test_a_taken_number_is_reported(api: Api, alice: User) -> None:
    assert said(api.post("register", {**CAROL, "phone": "+86 138 0013 8000"})) == (400, "Phone already exists")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"username": 7}, "Field username is invalid: Not a valid string."),
        (
            {"username": "two words"},
            "Field username is invalid: A user name may contain only letters, digits and . _ - +.",
        ),
        ({"username": "x" * 51}, "Field username is invalid: Ensure this field has no more than 50 characters."),
        ({"username": "a\x00b"}, "Field username is invalid: Null characters are not allowed."),
        ({"email": "carol"}, "Field email is invalid: This is not an e-mail address."),
        ({"email": "a@b.cn\r\nBcc: x@y.cn"}, "Field email is invalid: This is not an e-mail address."),
        ({"phone": "12345"}, "Field phone is invalid: This is not a valid phone number."),
        ({"password": "12345"}, "Field password is invalid: A password must have at least 6 characters."),
        ({"password": "x" * 129}, "Field password is invalid: Ensure this field has no more than 128 characters."),
        ({"role": "pharmacy"}, "Field role is invalid: This role is not open to registration."),
        ({"role": "admin"}, "Field role is invalid: This role is not open to registration."),
    ],
    ids=str,
)
def test_an_invalid_field_is_reported(api: Api, changes: dict[str, Any], message: str) -> None:
    assert said(api.post("register", {**CAROL, **changes})) == (400, message)


@pytest.mark.parametrize("role", ["doctor", "researcher", "viewer"])
def test_the_public_takes_the_documents_roles_but_one(api: Api, role: str) -> None:
    assert api.post("register", {**CAROL, "role": role}).json()["data"]["user"]["role"] == role


def test_an_administrator_creates_an_administrator(api: Api, head: User) -> None:
    answer = api.post("register", {**CAROL, "role": "admin"}, token(api, "head"))
    assert answer.json()["data"]["user"]["role"] == "admin"
    event = SecurityEvent.objects.get(event="user:created")
    assert (event.user_id, event.actor_id) == (User.objects.get(username="carol").pk, head.pk)


def test_an_administrator_creates_no_role_that_the_document_does_not_have(api: Api, head: User) -> None:
    answer = api.post("register", {**CAROL, "role": "patient"}, token(api, "head"))
    assert said(answer) == (400, "Field role is invalid: This role is not open to registration.")


def test_an_administrators_creations_take_nothing_from_the_hour(api: Api, head: User) -> None:
    admins = token(api, "head")
    AttemptBudget.objects.all().delete()
    api.post("register", CAROL, admins)
    assert not AttemptBudget.objects.exists()


def test_the_token_of_another_user_creates_no_administrator(api: Api, bob: User) -> None:
    assert api.post("register", {**CAROL, "role": "admin"}, token(api, "bob")).status_code == 400


def test_a_former_administrator_creates_no_administrator(api: Api, head: User) -> None:
    admins = token(api, "head")
    User.objects.filter(pk=head.pk).update(role="viewer")
    assert api.post("register", {**CAROL, "role": "admin"}, admins).status_code == 400


@pytest.mark.parametrize("header", ["Bearer null", "Bearer", "Basic YTpi", ""])
def test_an_invalid_token_does_not_prevent_a_registration(api: Api, header: str) -> None:
    assert api.post("register", CAROL, Authorization=header).status_code == 200


def test_read_only_fields_are_ignored(api: Api) -> None:
    api.post("register", {**CAROL, "is_superuser": True, "is_active": False, "user_id": 7, "avatar_url": "x"})
    user = User.objects.get()
    assert (user.is_superuser, user.is_active, user.pk == 7, user.avatar_url) == (False, True, False, "")


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings) -> None:
        settings.PROFILE = "hardened"

    def test_a_doctor_awaits_approval_and_the_account_is_reported_as_disabled(self, api: Api) -> None:
        api.post("register", {**CAROL, "password": "correct horse"})
        assert said(api.login("carol", "correct horse")) == (401, "Account is disabled")

    def test_a_viewer_logs_in_at_once(self, api: Api) -> None:
        api.post("register", {**CAROL, "role": "viewer", "password": "correct horse"})
        assert api.login("carol", "correct horse").status_code == 200

    def test_a_doctor_whom_an_administrator_creates_waits_for_nothing(self, api: Api, head: User) -> None:
        api.post("register", {**CAROL, "password": "correct horse"}, token(api, "head"))
        assert api.login("carol", "correct horse").status_code == 200

    def test_a_password_that_is_easy_to_guess_is_refused(self, api: Api) -> None:
        message = "Field password is invalid: This password is on a list of common or breached passwords."
        assert said(api.post("register", {**CAROL, "password": "password123"})) == (400, message)
