from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Session, User
from accounts.tests.contracts.clinic.tools import ALICE, answered, login, token
from accounts.tests.tools import PASSWORD, Api
from audit.models import LoginAttempt, SecurityEvent

pytestmark = pytest.mark.django_db

NEW = "Another-horse-8"
WRONG = (400, "Incorrect email or password.")
CLOSED = [
    ({"is_active": False}, (403, "This account is disabled.")),
    ({"awaits_approval": True}, (403, "This account awaits an administrator's approval.")),
]


def reset(email: str = ALICE, old: str = PASSWORD, new: str = NEW) -> Any:
    body = {"email": email, "old_password": old, "new_password": new}
    return Api(mount="/api/users").post("reset_password", body)


class TestLogin:
    @pytest.mark.parametrize("password", ["wrong", "", f" {PASSWORD}", "x" * 200])
    def test_a_wrong_password(self, alice: User, password: str) -> None:
        assert answered(login(password=password)) == WRONG

    @pytest.mark.parametrize("email", ["nobody@b.cn", "alice", "13800138000", "", "x" * 5000])
    def test_an_unknown_address_is_answered_like_a_wrong_password(self, alice: User, email: str) -> None:
        assert answered(login(email)) == WRONG

    def test_the_case_of_an_address_does_not_matter(self, alice: User) -> None:
        assert login("Alice@Hospital.Example").status_code == 200

    @pytest.mark.parametrize(("change", "answer"), CLOSED, ids=str)
    def test_a_closed_account(self, alice: User, change: dict[str, Any], answer: tuple[int, str]) -> None:
        User.objects.filter(pk=alice.pk).update(**change)
        assert (answered(login()), answered(login(password="wrong"))) == (answer, WRONG)

    @pytest.mark.parametrize("value", [None, 1], ids=repr)
    @pytest.mark.parametrize("field", ["email", "password"])
    def test_a_field_of_another_type(self, api: Api, field: str, value: Any) -> None:
        item = {"loc": ["body", field], "msg": "Input should be a valid string", "type": "string_type"}
        assert answered(api.post("login", {"email": ALICE, "password": "x", field: value})) == (422, [item])

    def test_a_sixth_guess_is_refused_for_a_while(self, alice: User) -> None:
        answers = [login(password="wrong") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [400] * 5 + [429]
        assert answered(answers[-1]) == (429, "Too many failed attempts. Try again later.")
        assert 0 < int(answers[-1]["Retry-After"]) <= 900

    def test_an_answer_with_a_token_is_not_stored(self, alice: User) -> None:
        assert login()["Cache-Control"] == "no-store"


class TestReset:
    def test_a_reset_ends_every_session(self, api: Api, alice: User) -> None:
        tokens = [token(), token()]
        assert reset().status_code == 200
        assert [api.get("me", each).status_code for each in tokens] == [401, 401]
        assert set(Session.objects.values_list("end_reason", flat=True)) == {"credential_changed"}
        assert (login().status_code, login(password=NEW).status_code) == (400, 200)

    def test_a_reset_is_in_the_trail(self, alice: User) -> None:
        reset()
        assert LoginAttempt.objects.values_list("contract", "status").get() == ("clinic", "success")
        assert SecurityEvent.objects.values_list("event", "user").get() == ("password:changed", alice.pk)

    def test_the_new_password_may_equal_the_old(self, alice: User) -> None:
        assert reset(new=PASSWORD).status_code == 200

    def test_a_wrong_old_password(self, alice: User) -> None:
        assert answered(reset(old="wrong")) == WRONG

    def test_an_unknown_address_is_not_found(self, alice: User) -> None:
        assert answered(reset("nobody@b.cn")) == (404, "There is no user with this email.")

    @pytest.mark.parametrize(("change", "answer"), CLOSED, ids=str)
    def test_a_closed_account(self, alice: User, change: dict[str, Any], answer: tuple[int, str]) -> None:
        User.objects.filter(pk=alice.pk).update(**change)
        before = User.objects.values().get()
        assert (answered(reset()), answered(reset(old="wrong"))) == (answer, WRONG)
        assert User.objects.values().get() == before

    def test_guesses_here_and_at_the_login_fill_one_budget(self, alice: User) -> None:
        for _ in range(3):
            reset(old="wrong")
        for _ in range(2):
            login(password="wrong")
        assert (login().status_code, reset().status_code) == (429, 429)

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"{", "The body is not JSON."),
            ({"email": ALICE, "old_password": PASSWORD}, "new_password: Field required"),
            (
                {"email": "alice", "old_password": 7, "new_password": NEW},
                "email: value is not a valid email address: An email address must have an @-sign.; "
                "old_password: Input should be a valid string",
            ),
            (
                {"email": ALICE, "old_password": PASSWORD, "new_password": "12345"},
                "new_password: String should have at least 6 characters",
            ),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("verb", ["reset_password", "reset-password"])
    def test_a_malformed_body_is_400(self, api: Api, alice: User, verb: str, body: Any, sentence: str) -> None:
        assert answered(api.post(verb, body)) == (400, sentence)

    def test_hardened_an_unknown_address_is_answered_like_a_wrong_password(
        self, alice: User, settings: Settings
    ) -> None:
        settings.PROFILE = "hardened"
        assert answered(reset("nobody@b.cn")) == WRONG

    def test_hardened_the_new_password_is_not_easy_to_guess(self, alice: User, settings: Settings) -> None:
        settings.PROFILE = "hardened"
        sentence = "new_password: Value error, This password is on a list of common or breached passwords."
        assert answered(reset(new="password123")) == (400, sentence)
