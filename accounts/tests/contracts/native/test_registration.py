from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, User
from accounts.tests.tools import HERE, Api
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

CAROL: dict[str, Any] = {"username": "carol", "email": "carol@hospital.example", "password": "Secret123"}
TAKEN = [{"code": "taken", "detail": "Another account already has this value."}]


def errors(api: Api, **changes: Any) -> dict[str, list[str]]:
    """Return the codes of the wrong fields of a registration."""
    body = {name: value for name, value in {**CAROL, **changes}.items() if value is not ...}
    response = api.post("register", body)
    assert response.status_code == 400, response.content
    return {field: [item["code"] for item in items] for field, items in response.json()["errors"].items()}


def test_the_answer_to_a_registration(api: Api, db: None) -> None:
    response = api.post("register", {**CAROL, "phone": "13800138001", "role": "pharmacy", "department": "药房"})
    user = User.objects.get()
    assert (response.status_code, response.json()) == (
        201,
        {
            "id": user.pk,
            "username": "carol",
            "email": "carol@hospital.example",
            "phone": "13800138001",
            "role": "pharmacy",
            "full_name": "",
            "first_name": "",
            "last_name": "",
            "nickname": "",
            "department": "药房",
            "job_title": "",
            "avatar_url": None,
            "profile": None,
            "language": "zh-hans",
            "email_verified": False,
            "phone_verified": False,
            "pending_email": None,
            "pending_phone": None,
            "is_active": True,
            "awaits_approval": False,
            "valid_from": None,
            "valid_until": None,
            "last_login": None,
            "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        },
    )


def test_a_registered_user_logs_in(api: Api, db: None) -> None:
    api.post("register", CAROL)
    assert api.login("carol", "Secret123").status_code == 200


def test_without_a_role_a_new_user_is_unauth(api: Api, db: None) -> None:
    assert api.post("register", CAROL).json()["role"] == "unauth"


def test_a_registration_is_an_event(api: Api, db: None) -> None:
    api.post("register", CAROL)
    event = SecurityEvent.objects.get()
    assert (event.event, event.user_id, event.ip, event.detail) == (
        "user:registered",
        User.objects.get().pk,
        HERE,
        {"role": "unauth"},
    )


@pytest.mark.parametrize("role", ["admin", "doctor", "patient", "ADMIN", "root", "superuser"])
def test_a_role_that_the_document_does_not_give_to_the_public_is_refused(api: Api, db: None, role: str) -> None:
    assert errors(api, role=role) == {"role": ["not_allowed"]}


def test_read_only_fields_are_ignored(api: Api, db: None) -> None:
    api.post(
        "register",
        {
            **CAROL,
            "is_superuser": True,
            "is_staff": True,
            "is_active": False,
            "awaits_approval": True,
            "id": 7,
            "stamp": "x",
        },
    )
    user = User.objects.get()
    assert (user.is_superuser, user.is_staff, user.is_active, user.awaits_approval) == (False, False, True, False)
    assert (user.pk == 7, user.stamp == "x") == (False, False)


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_a_missing_required_field_is_named(api: Api, db: None, field: str) -> None:
    assert errors(api, **{field: ...}) == {field: ["required"]}


@pytest.mark.parametrize("field", ["username", "email", "password", "phone", "role", "full_name"])
def test_a_value_of_another_type_is_refused(api: Api, db: None, field: str) -> None:
    assert errors(api, **{field: ["x"]}) == {field: ["invalid"]}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"username": ""}, {"username": ["blank"]}),
        ({"username": None}, {"username": ["null"]}),
        ({"username": "two words"}, {"username": ["invalid"]}),
        ({"username": "a@b.cn"}, {"username": ["invalid"]}),
        ({"username": "13912345678"}, {"username": ["invalid"]}),
        ({"username": "x" * 151}, {"username": ["max_length"]}),
        ({"username": "a\x00b"}, {"username": ["null_characters_not_allowed"]}),
        ({"username": "\ud800"}, {"username": ["surrogate_characters_not_allowed"]}),
        ({"email": "carol"}, {"email": ["invalid"]}),
        ({"email": "a@b.cn\r\nBcc: x@y.cn"}, {"email": ["invalid"]}),
        ({"phone": "12345"}, {"phone": ["invalid"]}),
        ({"password": "12345"}, {"password": ["password_too_short"]}),
        ({"password": "x" * 129}, {"password": ["max_length"]}),
        ({"password": "\ud800abcdef"}, {"password": ["surrogate_characters_not_allowed"]}),
        ({"full_name": "x" * 101}, {"full_name": ["max_length"]}),
        (
            {"username": "a b", "email": "x", "password": "1"},
            {"username": ["invalid"], "email": ["invalid"], "password": ["password_too_short"]},
        ),
    ],
    ids=str,
)
def test_a_field_that_is_wrong_is_named(
    api: Api, db: None, changes: dict[str, Any], codes: dict[str, list[str]]
) -> None:
    assert errors(api, **changes) == codes


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"username": "ＡＬＩＣＥ"}, ["username"]),
        ({"email": "ALICE@hospital.example"}, ["email"]),
        ({"phone": "+86 138 0013 8000"}, ["phone"]),
        ({"username": "alice", "email": "alice@hospital.example"}, ["username", "email"]),
    ],
    ids=str,
)
def test_what_another_account_has_is_named(api: Api, alice: User, changes: dict[str, str], fields: list[str]) -> None:
    response = api.post("register", {**CAROL, **changes})
    assert (response.status_code, response.json()) == (
        409,
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "detail": "Another account already has one of these values; see errors.",
            "code": "already_taken",
            "errors": dict.fromkeys(fields, TAKEN),
        },
    )


def test_two_accounts_may_do_without_a_phone(api: Api, bob: User) -> None:
    assert api.post("register", CAROL).status_code == 201


def test_an_address_registers_100_accounts_an_hour(api: Api, db: None) -> None:
    api.post("register", CAROL)
    AttemptBudget.objects.update(count=99)
    names = ["dave", "erin"]
    answers = [api.post("register", {**CAROL, "username": name, "email": f"{name}@b.cn"}) for name in names]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert 3500 < int(answers[1]["Retry-After"]) <= 3600


def test_a_taken_identifier_counts_against_the_hourly_limit(api: Api, db: None) -> None:
    api.post("register", CAROL)
    api.post("register", CAROL)
    assert AttemptBudget.objects.get().count == 2


def test_a_field_that_is_wrong_takes_nothing_from_the_hour(api: Api, db: None) -> None:
    api.post("register", {**CAROL, "username": "two words"})
    assert not AttemptBudget.objects.exists()


def test_after_an_hour_an_address_registers_again(api: Api, db: None) -> None:
    api.post("register", CAROL)
    AttemptBudget.objects.update(count=100)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert api.post("register", {**CAROL, "username": "dave", "email": "d@b.cn"}).status_code == 201


class TestHardened:
    @pytest.fixture(autouse=True)
    def _hardened(self, settings: Settings) -> None:
        settings.PROFILE = "hardened"

    def test_a_role_that_is_given_at_once_logs_in(self, api: Api, db: None) -> None:
        api.post("register", {**CAROL, "role": "pharmacy", "password": "correct horse"})
        assert api.login("carol", "correct horse").status_code == 200

    def test_a_role_that_needs_approval_waits_for_it(self, api: Api, db: None) -> None:
        answer = api.post("register", {**CAROL, "role": "regulator", "password": "correct horse"})
        assert answer.json()["awaits_approval"] is True
        assert api.login("carol", "correct horse").json()["code"] == "approval_pending"

    @pytest.mark.parametrize(
        ("password", "codes"),
        [
            ("1234567", ["password_too_short", "password_too_common"]),
            ("password123", ["password_too_common"]),
            ("xcarolx1", ["password_too_similar"]),
            ("authsvc-2026", ["password_too_similar"]),
        ],
    )
    def test_a_password_that_is_easy_to_guess_is_refused(
        self, api: Api, db: None, password: str, codes: list[str]
    ) -> None:
        assert errors(api, password=password) == {"password": codes}

    @pytest.mark.parametrize(
        "password", ["correct horse battery staple", "83920174659302847561", "马到成功马到成功", "🦄" * 8]
    )
    def test_a_password_needs_no_composition(self, api: Api, db: None, password: str) -> None:
        assert api.post("register", {**CAROL, "password": password}).status_code == 201
