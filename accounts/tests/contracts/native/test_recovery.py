"""A lost password: the code that is sent, and what it is good for."""

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import AttemptBudget, Code, Message, Session, User
from accounts.tests.messages import last, queued
from accounts.tests.tools import ELSEWHERE, HERE, PASSWORD, Api, later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"
EMAIL = {"identifier": "alice", "channel": "email", "contact": "alice@hospital.example"}
PHONE = {"identifier": "alice", "channel": "phone", "contact": "13800138000"}
WRONG = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "detail": "This code is wrong, expired or already used. Request a new one.",
    "code": "invalid_code",
}


def request(form: dict[str, str] = EMAIL, **changes: Any) -> Any:
    return Api().post("request-reset-code", {**form, **changes})


def reset(code: Any, form: dict[str, str] = EMAIL, new: str = NEW, **changes: Any) -> Any:
    return Api().post("reset-password", {**form, "code": code, "new_password": new, **changes})


def answered(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json()


def events() -> list[tuple[Any, ...]]:
    return list(SecurityEvent.objects.order_by("id").values_list("event", "user", "detail"))


@pytest.fixture
def code(alice: User) -> str:
    """The code that alice's mail brings."""
    request()
    return str(last()["code"])


class TestRequest:
    def test_the_answer_says_how_long_the_code_is_good(self, alice: User) -> None:
        assert answered(request()) == (200, {"expires_in": 600})

    @pytest.mark.parametrize(
        "changes",
        [
            {"identifier": "nobody"},
            {"identifier": "nobody@hospital.example"},
            {"identifier": "not a name!"},
            {"contact": "other@hospital.example"},
            {"channel": "phone", "contact": "13912345678"},
        ],
        ids=str,
    )
    def test_an_account_without_that_contact_is_answered_alike_and_gets_no_message(
        self, alice: User, changes: dict[str, Any]
    ) -> None:
        assert answered(request(**changes)) == (200, {"expires_in": 600})
        assert queued() == []

    def test_a_disabled_account_is_answered_alike_and_gets_no_message(self, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert (answered(request()), queued()) == ((200, {"expires_in": 600}), [])

    @pytest.mark.parametrize("identifier", ["ALICE", "Alice@Hospital.Example", "+86 138 0013 8000"])
    @pytest.mark.parametrize("contact", [EMAIL, PHONE], ids=["email", "phone"])
    def test_a_message_goes_to_the_address_that_is_stored(
        self, alice: User, identifier: str, contact: dict[str, str]
    ) -> None:
        request({**contact, "contact": contact["contact"].upper()}, identifier=identifier)
        stored = {"email": "alice@hospital.example", "phone": "+8613800138000"}[contact["channel"]]
        assert queued() == [(contact["channel"], stored, "reset_code")]

    def test_a_message_expires_with_its_code(self, code: str) -> None:
        assert abs(Message.objects.get().expires_at - Code.objects.get().expires_at) < timedelta(seconds=1)

    def test_a_message_brings_six_digits_and_by_email_a_link(self, code: str) -> None:
        assert last() == {"code": code, "link": ANY}
        assert len(code) == 6
        assert code.isdecimal()

    def test_neither_table_holds_the_code_in_clear(self, code: str) -> None:
        rows = [*Code.objects.values_list(), *Message.objects.values_list()]
        assert code not in repr(rows)

    @pytest.mark.parametrize("identifier", ["alice", "nobody"])
    def test_one_code_a_minute(self, alice: User, identifier: str) -> None:
        assert [request(identifier=identifier).status_code for _ in range(2)] == [200, 429]
        response = request(identifier=identifier)
        assert response.json()["code"] == "too_many_codes"
        assert 50 <= int(response["Retry-After"]) <= 60
        with later(seconds=61):
            assert request(identifier=identifier).status_code == 200

    def test_the_minute_is_the_accounts_however_it_is_spelt(self, alice: User) -> None:
        assert [request().status_code, request(PHONE, identifier="13800138000").status_code] == [200, 429]

    @pytest.mark.parametrize("identifier", ["alice", "nobody"])
    def test_ten_codes_a_day(self, alice: User, identifier: str) -> None:
        answers = []
        for number in range(11):
            with later(seconds=61 * number):
                answers.append(request(identifier=identifier).status_code)
        assert answers == [200] * 10 + [429]
        with later(hours=24, seconds=1):
            assert request(identifier=identifier).status_code == 200

    def test_one_address_has_a_hundred_codes_an_hour_sent(self, db: None) -> None:
        with time_machine.travel(timezone.now(), tick=False):
            assert request(identifier="nobody0").status_code == 200
            assert AttemptBudget.objects.filter(purpose="codes:address", address=HERE, count=1).update(count=99) == 1
            assert [request(identifier=f"nobody{number}").status_code for number in (1, 2)] == [200, 429]

    def test_another_address_is_not_bound_by_it(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("accounts.security.codes.CODES_AN_ADDRESS", 1)
        other = {**EMAIL, "identifier": "nobody", "contact": "nobody@hospital.example"}
        assert [Api().post("request-reset-code", other).status_code, request().status_code] == [200, 429]
        assert Api(ELSEWHERE).post("request-reset-code", EMAIL).status_code == 200

    def test_the_code_itself_is_answered_in_development(self, alice: User, settings: Settings) -> None:
        settings.DEBUG = True
        assert answered(request()) == (200, {"expires_in": 600, "debug_code": last()["code"]})

    def test_development_answers_with_a_code_for_an_unknown_account_too(self, db: None, settings: Settings) -> None:
        settings.DEBUG = True
        answer = request().json()
        assert len(answer.pop("debug_code")) == 6
        assert answer == {"expires_in": 600}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"channel": "pigeon"}, "channel"),
            ({"channel": ["email"]}, "channel"),
            ({"contact": "no address"}, "contact"),
            ({"contact": "a@b.cn\r\nBcc: x@y.cn"}, "contact"),
            ({"contact": 13800138000}, "contact"),
            ({"identifier": None}, "identifier"),
        ],
        ids=str,
    )
    def test_what_is_malformed_is_named(self, alice: User, changes: dict[str, Any], field: str) -> None:
        response = request(**changes)
        assert (response.status_code, list(response.json()["errors"])) == (400, [field])

    def test_a_requested_code_is_recorded_with_whether_it_was_sent(self, alice: User) -> None:
        request()
        request(identifier="nobody")
        detail = {"purpose": "reset", "channel": "email"}
        assert events() == [
            ("code:requested", alice.pk, {**detail, "sent": True}),
            ("code:requested", None, {**detail, "sent": False}),
        ]


class TestReset:
    def test_the_new_password_logs_in_and_the_old_one_does_not(self, code: str) -> None:
        answer = reset(code)
        assert (answer.status_code, answer.content) == (204, b"")
        assert [Api().login(password=password).status_code for password in (NEW, PASSWORD)] == [200, 401]

    def test_the_current_password_is_refused_and_leaves_the_code_valid(self, code: str) -> None:
        problem = {"code": "password_unchanged", "detail": "The new password must differ from the current one."}
        assert reset(code, new=PASSWORD).json()["errors"] == {"new_password": [problem]}
        assert reset(code).status_code == 204

    def test_every_session_ends(self, api: Api, alice: User) -> None:
        access = api.tokens()["access_token"]
        request()
        reset(last()["code"])
        assert api.get("me", access).status_code == 401
        assert Session.objects.filter(ended_at=None).count() == 0

    def test_a_reset_ends_the_lockout(self, code: str) -> None:
        for _ in range(6):
            Api().login(password="wrong-password")
        assert Api().login().status_code == 429
        reset(code)
        assert Api().login(password=NEW).status_code == 200

    def test_every_address_gets_a_notice(self, code: str) -> None:
        # Later than the minute in which the code was sent: a contact receives one message a minute.
        with later(seconds=61):
            reset(code)
        assert queued()[1:] == [
            ("email", "alice@hospital.example", "password_reset"),
            ("phone", "+8613800138000", "password_reset"),
        ]

    def test_the_trail_says_so(self, code: str, alice: User) -> None:
        reset(code)
        assert events()[1:] == [("email:verified", alice.pk, {}), ("password:reset", alice.pk, {})]

    def test_a_code_is_accepted_once(self, code: str) -> None:
        reset(code)
        # The new stamp alone invalidates it; its row is deleted too.
        assert not Code.objects.exists()
        assert answered(reset(code, new="Third-horse-9")) == (400, WRONG)

    def test_a_code_expires_after_ten_minutes(self, code: str) -> None:
        with later(seconds=601):
            assert answered(reset(code)) == (400, WRONG)

    def test_a_code_is_valid_for_ten_minutes(self, code: str) -> None:
        with later(seconds=590):
            assert reset(code).status_code == 204

    def test_a_newer_code_takes_its_place(self, code: str) -> None:
        with later(seconds=61):
            request()
            newer = last()["code"]
            assert answered(reset(code)) == (400, WRONG)
            assert reset(newer).status_code == 204

    @pytest.mark.parametrize(
        "change", [{"password": "!"}, {"role": "viewer"}, {"is_active": False}, {"email": "new@b.cn"}], ids=str
    )
    def test_a_changed_account_invalidates_it(self, code: str, alice: User, change: dict[str, Any]) -> None:
        User.objects.filter(pk=alice.pk).update(**change)
        assert answered(reset(code)) == (400, WRONG)

    def test_a_request_for_somewhere_else_does_not_replace_it(self, code: str) -> None:
        with later(seconds=61):
            request(contact="other@hospital.example")
            assert reset(code).status_code == 204

    @pytest.mark.parametrize(
        "spell",
        [
            lambda code: "000000" if code != "000000" else "000001",
            lambda code: f"0{code}",
            lambda code: int(code),
            lambda code: [code],
            lambda code: {"code": code},
            lambda code: f" {code}",
            lambda code: code.translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
            lambda code: code.translate({48 + digit: 0x0660 + digit for digit in range(10)}),
            lambda code: None,
            lambda code: True,
            lambda code: "",
            lambda code: "\ud800" * 6,
            lambda code: "9" * 20_000,
        ],
        ids=[
            "wrong",
            "leading zero",
            "number",
            "list",
            "object",
            "blank before",
            "full-width",
            "arabic",
            "null",
            "true",
            "empty",
            "surrogates",
            "very long",
        ],
    )
    def test_whatever_is_not_the_code_is_one_and_the_same_answer_and_counts(self, code: str, spell: Any) -> None:
        assert answered(reset(spell(code))) == (400, WRONG)
        assert SecurityEvent.objects.filter(event="code:refused").count() == 1
        assert Api().login().status_code == 200

    @pytest.mark.parametrize(
        ("contact", "changes"),
        [
            (PHONE, {}),
            (EMAIL, {"identifier": "bob"}),
            (EMAIL, {"identifier": "nobody"}),
            (EMAIL, {"contact": "bob@hospital.example"}),
        ],
        ids=["other channel", "other account", "no account", "other address"],
    )
    def test_a_code_is_bound_to_its_account_and_contact(
        self, code: str, bob: User, contact: dict[str, str], changes: dict[str, str]
    ) -> None:
        assert answered(reset(code, contact, **changes)) == (400, WRONG)
        assert SecurityEvent.objects.filter(event="code:refused").count() == 1

    def test_a_verification_code_resets_nothing(self, alice: User) -> None:
        Api().post("request-verification", {"channel": "email"}, Api().tokens()["access_token"])
        assert answered(reset(last()["code"])) == (400, WRONG)

    def test_a_code_for_an_unknown_account_resets_nothing(self, alice: User, settings: Settings) -> None:
        settings.DEBUG = True
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert answered(reset(request().json()["debug_code"])) == (400, WRONG)

    @pytest.mark.parametrize("identifier", ["alice", "nobody"])
    def test_five_wrong_codes_lock_for_a_day(self, code: str, identifier: str) -> None:
        answers = [reset("000000" if code != "000000" else "1", identifier=identifier) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [400] * 5 + [429]
        assert 86_300 <= int(answers[5]["Retry-After"]) <= 86_400
        assert answers[5].json()["code"] == "too_many_attempts"

    def test_a_locked_account_takes_no_right_code_either(self, code: str) -> None:
        for _ in range(5):
            reset("wrong")
        assert reset(code).status_code == 429
        with later(hours=24, seconds=1):
            request()
            assert reset(last()["code"]).status_code == 204

    def test_a_new_code_does_not_reset_the_attempts(self, code: str) -> None:
        for _ in range(3):
            reset("wrong")
        with later(seconds=61):
            request()
            answers = [reset("wrong").status_code for _ in range(3)]
        assert answers == [400, 400, 429]

    def test_a_reset_gives_neither_tries_nor_codes_back(self, code: str) -> None:
        token = Api().tokens()["access_token"]
        wrong = {"channel": "phone", "code": "wrong"}
        assert [Api().post("verify", wrong, token).status_code for _ in range(5)] == [400] * 5
        reset(code)
        token = Api().tokens(password=NEW)["access_token"]
        assert Api().post("verify", wrong, token).status_code == 429
        assert request().status_code == 429

    def test_wrong_codes_count_until_none_has_come_for_a_day(self, alice: User) -> None:
        assert reset("wrong").status_code == 400
        with later(hours=23):
            assert [reset("wrong").status_code for _ in range(3)] == [400] * 3
        with later(hours=25):
            assert [reset("wrong").status_code for _ in range(2)] == [400, 429]

    def test_the_fifth_wrong_code_is_an_event(self, code: str, alice: User) -> None:
        for _ in range(5):
            reset("wrong")
        assert [event for event, user, _detail in events()[-2:] if user == alice.pk] == ["code:refused", "code:locked"]

    def test_wrong_codes_count_for_the_address_too(self, alice: User) -> None:
        for number in range(100):
            reset("wrong", identifier=f"nobody{number}")
        assert reset("wrong", identifier="another").status_code == 429
        assert Api().login().status_code == 429

    def test_wrong_codes_lock_no_login(self, code: str) -> None:
        for _ in range(6):
            reset("wrong")
        assert Api().login().status_code == 200

    @pytest.mark.parametrize(
        ("new", "codes"),
        [
            ("short", ["password_too_short", "password_not_mixed"]),
            ("lowercase only", ["password_not_mixed"]),
            ("x" * 129, ["max_length"]),
        ],
    )
    def test_a_new_password_follows_the_documents_rule_and_costs_no_attempt(
        self, code: str, new: str, codes: list[str]
    ) -> None:
        response = reset(code, new=new)
        assert response.status_code == 400
        assert [item["code"] for item in response.json()["errors"]["new_password"]] == codes
        assert reset(code).status_code == 204

    def test_hardened_a_password_similar_to_the_name_is_reported_after_the_code_alone(
        self, code: str, settings: Settings
    ) -> None:
        settings.PROFILE = "hardened"
        assert answered(reset("wrong", new="Alice-2026")) == (400, WRONG)
        response = reset(code, new="Alice2026")
        assert [item["code"] for item in response.json()["errors"]["new_password"]] == ["password_too_similar"]
        assert reset(code).status_code == 204
