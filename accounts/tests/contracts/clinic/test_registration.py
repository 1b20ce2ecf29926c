from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.tests.contracts.clinic.tools import answered, login
from accounts.tests.tools import Api

pytestmark = pytest.mark.django_db

CAROL: dict[str, Any] = {
    "email": "carol@hospital.example",
    "password": "Secret123",
    "first_name": "Carol",
    "last_name": "Li",
    "phone_number": "13912345678",
}
FIELDS = list(CAROL)


def wrong(field: str, sentence: str, kind: str) -> tuple[int, list[dict[str, Any]]]:
    return 422, [{"loc": ["body", field], "msg": sentence, "type": kind}]


@pytest.mark.parametrize("field", FIELDS)
def test_a_missing_field(api: Api, field: str) -> None:
    body = {name: value for name, value in CAROL.items() if name != field}
    assert answered(api.post("register", body)) == wrong(field, "Field required", "missing")


def test_without_a_body_every_field_is_missing(api: Api) -> None:
    status, detail = answered(api.post("register", b""))
    assert (status, [item["loc"] for item in detail]) == (422, [["body", field] for field in FIELDS])


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_another_type(api: Api, field: str) -> None:
    body = {**CAROL, field: ["x"]}
    assert answered(api.post("register", body)) == wrong(field, "Input should be a valid string", "string_type")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ["\x00", "a\ud800@b.cn"], ids=repr)
def test_a_character_that_no_database_keeps(api: Api, field: str, value: str) -> None:
    status, detail = answered(api.post("register", {**CAROL, field: value}))
    assert (status, {item["loc"][1] for item in detail}) == (422, {field})


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("carol", "An email address must have an @-sign."),
        ("", "An email address must have an @-sign."),
        ("carol@", "There must be something after the @-sign."),
        ("a@b.cn\r\nBcc: x@y.cn", "The part after the @-sign contains invalid characters: "),
        ("x" * 250 + "@b.cn", "An e-mail address must have at most 254 characters."),
    ],
)
def test_what_is_no_address(api: Api, email: str, why: str) -> None:
    status, [item] = answered(api.post("register", {**CAROL, "email": email}))
    assert (status, item["loc"], item["type"]) == (422, ["body", "email"], "value_error")
    assert item["msg"].startswith(f"value is not a valid email address: {why}")


@pytest.mark.parametrize(
    ("changes", "field", "sentence", "kind"),
    [
        ({"password": "12345"}, "password", "String should have at least 6 characters", "string_too_short"),
        ({"password": "x" * 129}, "password", "String should have at most 128 characters", "string_too_long"),
        ({"first_name": "x" * 101}, "first_name", "String should have at most 100 characters", "string_too_long"),
        ({"phone_number": "12345"}, "phone_number", "Value error, This is not a valid phone number.", "value_error"),
        ({"phone_number": ""}, "phone_number", "Value error, This field may not be blank.", "value_error"),
    ],
    ids=str,
)
def test_a_field_that_is_wrong(api: Api, changes: dict[str, str], field: str, sentence: str, kind: str) -> None:
    assert answered(api.post("register", {**CAROL, **changes})) == wrong(field, sentence, kind)


def test_an_error_contains_no_value_that_was_sent(api: Api) -> None:
    assert b"x-secret-x" not in api.post("register", {"password": "x-secret-x", "email": 7}).content


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "ALICE@hospital.example"}, "This email is already registered."),
        ({"phone_number": "+86 138 0013 8000"}, "This phone number is already registered."),
    ],
    ids=str,
)
def test_what_another_account_has(api: Api, alice: User, changes: dict[str, str], sentence: str) -> None:
    assert answered(api.post("register", {**CAROL, **changes})) == (400, sentence)


def test_a_generated_name_that_is_taken_is_numbered(api: Api, alice: User) -> None:
    assert api.post("register", {**CAROL, "email": "alice@elsewhere.example"}).status_code == 200
    assert User.objects.filter(username="alice2").exists()


def test_a_registration_cannot_choose_a_role_or_a_name(api: Api) -> None:
    api.post("register", {**CAROL, "role": "admin", "username": "root", "is_superuser": True})
    user = User.objects.get()
    assert (user.role, user.username, user.is_superuser) == ("patient", "carol", False)


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings) -> None:
        settings.PROFILE = "hardened"

    def test_a_patient_logs_in_at_once(self, api: Api) -> None:
        api.post("register", {**CAROL, "password": "correct horse"})
        assert login(CAROL["email"], "correct horse").status_code == 200

    def test_a_password_that_is_easy_to_guess(self, api: Api) -> None:
        sentence = "Value error, This password is on a list of common or breached passwords."
        body = {**CAROL, "password": "password123"}
        assert answered(api.post("register", body)) == wrong("password", sentence, "value_error")
